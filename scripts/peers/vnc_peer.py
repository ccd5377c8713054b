"""TigerVNC: Xtigervnc shows the recording, its viewer runs on a display of its own, a relay counts."""

import shutil
import socket
import subprocess
import time
from pathlib import Path

import numpy as np

from desktop import HEIGHT, WIDTH, Desktop, free_display
from peer import Clip, Measured, Peer
from raw_video import psnr, read_frames
from relay import Relay
from x11_player import X11Player

SERVER = f"-geometry {WIDTH}x{HEIGHT} -depth 24 -SecurityTypes None -localhost -AlwaysShared".split()
VIEWER = "-PreferredEncoding=Tight -QualityLevel=8 -AutoSelect=0 -FullColor=1 -SecurityTypes=None".split()
VIEWER += "-FullScreen=1 -FullScreenMode=Current -RemoteResize=0 -Log=*:stderr:0".split()
POINTS, PARTS = 20000, 12  # pixels looked at, and parts of the screen that they are taken from
ATTEMPTS = 2
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


class Arrival:
    """Tells whether a viewer shows a picture, as well as its codec can, rather than the last one."""

    def __init__(self, picture: np.ndarray, last: np.ndarray):
        places = np.flatnonzero((picture != last).any(axis=-1))
        places = places[:: 1 + len(places) // POINTS]
        self._parts = [part for part in np.array_split(places, PARTS) if len(part)]
        self._new, self._old = picture.reshape(-1, 4), last.reshape(-1, 4)

    def is_in(self, shown: np.ndarray) -> bool:
        """Whether all parts are nearer to the picture than to the last one."""
        pixels = shown.reshape(-1, 4)
        for part in self._parts:
            seen = pixels[part].astype(np.int16)
            if np.abs(seen - self._new[part]).sum() > np.abs(seen - self._old[part]).sum():
                return False
        return True


def play(
    desktop: Desktop, player: X11Player, relay: Relay, original: np.ndarray
) -> tuple[list[int], list[np.ndarray]]:
    """Bytes sent before each frame and at the end; what the viewer showed of each.

    The next frame comes as soon as the viewer has the last, or after LIMIT: then none is left out on a busy machine, and the
    server has no time to refine what has just changed.
    """
    counts, pictures = [relay.received], []
    last = np.zeros_like(original[0])
    for picture in original:
        arrival, limit = Arrival(picture, last), time.monotonic() + LIMIT
        player.show(picture)
        while not arrival.is_in(shown := desktop.frame()) and time.monotonic() < limit:
            time.sleep(0.001)
        counts.append(relay.received)
        pictures.append(shown)
        last = picture
    return counts, pictures


def measure_once(clip: Clip) -> Measured:
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
            counts, shown = play(desktop, player, relay, np.array(original))
        return Measured(counts[1] - counts[0], counts[-1] - counts[1], psnr(original, shown))


def measure(clip: Clip) -> Measured:
    """The cheapest of ATTEMPTS: when a busy machine is late with a frame, the server refines the last one."""
    if (clip.width, clip.height) != (WIDTH, HEIGHT):
        raise ValueError(f"TigerVNC is measured at {WIDTH}x{HEIGHT} only")
    return min((measure_once(clip) for _ in range(ATTEMPTS)), key=lambda measured: measured.later_bytes)


def version() -> str:
    """Of the viewer that is installed; empty without one."""
    if not shutil.which("vncviewer"):
        return ""
    text = subprocess.run(["vncviewer", "--version"], capture_output=True, text=True, check=False)
    return next((line for line in (text.stdout + text.stderr).splitlines() if "v1" in line), "")


def vnc_peers() -> list[Peer]:
    programs = ("Xtigervnc", "vncviewer", "Xvfb", "xdotool", "openbox")
    return [Peer("tigervnc", "TigerVNC Tight quality 8", measure, programs, f"{VIEWER} {version()}")]
