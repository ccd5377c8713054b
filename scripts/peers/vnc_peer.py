"""TigerVNC: Xtigervnc shows the recording, its viewer runs on a display of its own, a relay counts."""

import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from desktop import HEIGHT, WIDTH, Desktop, free_display
from peer import FPS, Clip, Measured, Peer
from raw_video import psnr, read_frames
from relay import Relay
from x11_player import X11Player

SERVER = f"-geometry {WIDTH}x{HEIGHT} -depth 24 -SecurityTypes None -localhost -AlwaysShared".split()
VIEWER = "-PreferredEncoding=Tight -QualityLevel=8 -AutoSelect=0 -FullColor=1 -SecurityTypes=None".split()
VIEWER += "-FullScreen=1 -FullScreenMode=Current -RemoteResize=0 -Log=*:stderr:0".split()
SILENCE = 0.015  # seconds without a byte after which an update is taken to be complete
LIMIT = 2.0  # seconds that a frame may take
HINT_SECONDS = 8  # for which the viewer shows how to open its menu


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def start_server(desktop: Desktop, port: int) -> str:
    """The display of a VNC server, which ends with the desktop."""
    display = f":{free_display()}"
    desktop.start(["Xtigervnc", display, "-rfbport", str(port), *SERVER])
    for _ in range(200):
        if Path(f"/tmp/.X11-unix/X{display[1:]}").exists():
            return display
        time.sleep(0.05)
    raise RuntimeError("Xtigervnc did not start")


@dataclass
class Played:
    counts: list[int]  # bytes sent before each frame, and at the end
    shown: list[np.ndarray]  # by the viewer when the next frame was due
    late: int = 0  # frames that had not come by then, and were waited for


def await_picture(desktop: Desktop, relay: Relay, before: int, changed: bool) -> np.ndarray:
    """What the viewer shows once the update has come and has been drawn."""
    limit = time.monotonic() + LIMIT
    while changed and relay.received == before and time.monotonic() < limit:
        time.sleep(0.002)
    relay.await_silence(SILENCE, LIMIT)
    return desktop.settle(answer=LIMIT if changed else 0, quiet=SILENCE)


def play(desktop: Desktop, player: X11Player, relay: Relay, original: np.ndarray) -> Played:
    """FPS frames a second; a machine too busy for that slows the recording down, so that no frame is left out."""
    played, due, last = Played([relay.received], []), time.monotonic(), np.zeros_like(original[0])
    desktop.settle(0)
    for picture in original:
        changed = not np.array_equal(picture, last)
        last = picture
        player.show(picture)
        due += 1 / FPS
        time.sleep(max(0.0, due - SILENCE - time.monotonic()))
        played.shown.append(await_picture(desktop, relay, played.counts[-1], changed))
        if time.monotonic() > due + SILENCE:
            played.late += 1
            due = time.monotonic()
        time.sleep(max(0.0, due - time.monotonic()))
        played.counts.append(relay.received)
    return played


def measure(clip: Clip) -> Measured:
    if (clip.width, clip.height) != (WIDTH, HEIGHT):
        raise ValueError(f"TigerVNC is measured at {WIDTH}x{HEIGHT} only")
    original = read_frames(clip.path, WIDTH, HEIGHT)
    with Desktop() as desktop:
        port = free_port()
        with X11Player(start_server(desktop, port)) as player:
            player.show(np.zeros_like(original[0]))
            relay = Relay(port)
            desktop.start(["vncviewer", *VIEWER, f"127.0.0.1::{relay.port}"])
            time.sleep(HINT_SECONDS)
            relay.await_silence(0.5, 20)
            if desktop.frame()[..., :3].any():
                raise RuntimeError("the viewer does not show the server's black screen alone")
            played = play(desktop, player, relay, np.array(original))
        counts, note = played.counts, f"{played.late} frames late" if played.late else ""
        return Measured(counts[1] - counts[0], counts[-1] - counts[1], psnr(original, played.shown), note)


def version() -> str:
    """Of the viewer that is installed; empty without one."""
    if not shutil.which("vncviewer"):
        return ""
    text = subprocess.run(["vncviewer", "--version"], capture_output=True, text=True, check=False)
    return next((line for line in (text.stdout + text.stderr).splitlines() if "v1" in line), "")


def vnc_peers() -> list[Peer]:
    programs = ("Xtigervnc", "vncviewer", "Xvfb", "xdotool", "openbox")
    return [Peer("tigervnc", "TigerVNC Tight quality 8", measure, programs, f"{VIEWER} {version()}")]
