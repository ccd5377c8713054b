"""A virtual desktop that is recorded step by step: each frame is taken once the programs have drawn their answer to a step."""

import mmap
import os
import shutil
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[2] / "models/dataset"))

from screen import Screen  # noqa: E402

WIDTH, HEIGHT = 1280, 720
HOME = Path("/tmp/desktop")  # programs show it in their titles, so it is always the same
# Neither a blinking caret nor an animation may depend on the time at which a frame is taken.
GTK_SETTINGS = """[Settings]
gtk-cursor-blink=0
gtk-enable-animations=0
gtk-overlay-scrolling=0
"""


def free_display() -> int:
    return next(n for n in range(160, 400) if not Path(f"/tmp/.X{n}-lock").exists())


class Desktop(Screen):
    """`with Desktop() as desktop:` is a screen of WIDTH x HEIGHT; what is started on it ends with the block."""

    def __init__(self, dark: bool = False, subpixel: bool = False):
        super().__init__(free_display(), subpixel=subpixel, dark=dark, width=WIDTH, height=HEIGHT)
        self._move_home()
        settings = self.home / ".config/gtk-3.0/settings.ini"
        settings.parent.mkdir(parents=True)
        settings.write_text(GTK_SETTINGS)
        self.environment |= {"XDG_CONFIG_HOME": str(settings.parents[1]), "GSETTINGS_BACKEND": "memory"}

    def _move_home(self) -> None:
        """OSError when another recording runs, or a killed one has left its folder."""
        try:
            os.rename(self.home, HOME)
        except OSError:
            shutil.rmtree(self.home)
            raise
        old, self.home = str(self.home), HOME
        self.environment = {k: v.replace(old, str(HOME)) for k, v in self.environment.items()}

    def __enter__(self) -> "Desktop":
        super().__enter__()
        time.sleep(0.5)  # the window manager takes the windows that come after it
        self._memory = self._map_screen()
        self._last = self.frame()
        return self

    def _map_screen(self) -> np.ndarray:
        """The live screen, uint8 [HEIGHT, WIDTH, 4] of BGRX: Xvfb keeps it in an XWD file."""
        with open(self.home / "Xvfb_screen0", "rb") as file:
            header = struct.unpack(">25I", file.read(100))
            shared = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        start, row_bytes = header[0] + header[19] * 12, header[12]
        rows = np.frombuffer(shared, np.uint8, row_bytes * HEIGHT, start)
        return rows.reshape(HEIGHT, row_bytes // 4, 4)[:, :WIDTH]

    def frame(self) -> np.ndarray:
        """The screen now, uint8 [HEIGHT, WIDTH, 4] of BGR0."""
        pixels = self._memory.copy()
        pixels[..., 3] = 0
        return pixels

    def settle(self, answer: float = 0.5, quiet: float = 0.1) -> np.ndarray:
        """Waits `answer` seconds for a change since the last call, then until nothing has changed for `quiet` seconds."""
        limit = time.monotonic() + answer
        current = self.frame()
        while np.array_equal(current, self._last) and time.monotonic() < limit:
            time.sleep(0.01)
            current = self.frame()
        since, limit = time.monotonic(), time.monotonic() + 10
        while time.monotonic() < min(since + quiet, limit):
            time.sleep(0.01)
            seen = self.frame()
            if not np.array_equal(seen, current):
                current, since = seen, time.monotonic()
        self._last = current
        return current

    def await_content(self, seconds: float = 60) -> None:
        """Waits until the middle of the screen shows something, and no longer changes."""
        limit = time.monotonic() + seconds
        while self.frame()[HEIGHT // 4 : HEIGHT // 2, WIDTH // 4 : WIDTH // 2, :3].std() < 2:
            if time.monotonic() > limit:
                raise RuntimeError("nothing was drawn")
            time.sleep(0.2)
        self.settle(3, 2)

    def xdotool(self, *words: object) -> None:
        subprocess.run(["xdotool", *map(str, words)], env=self.environment, check=True, timeout=20)

    def await_window(self, name: str, seconds: float = 60) -> str:
        """The id of the visible window whose title matches; RuntimeError when none comes."""
        command = ["xdotool", "search", "--onlyvisible", "--name", name]
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            found = subprocess.run(
                command, env=self.environment, capture_output=True, text=True
            ).stdout.split()
            if found:
                return found[-1]
            time.sleep(0.2)
        raise RuntimeError(f"no window '{name}' came up")

    def place(self, window: str, x: int, y: int, width: int, height: int) -> None:
        self.xdotool("windowsize", "--sync", window, width, height, "windowmove", window, x, y)

    def wallpaper(self, picture: str) -> None:
        self.run(["feh", "--no-fehbg", "--bg-fill", picture])


class Player:
    """mpv on a desktop, moved on frame by frame."""

    def __init__(self, desktop: Desktop, clip: Path, geometry: str):
        path = desktop.home / "mpv"
        options = (
            "--no-config --pause --vo=x11 --hwdec=no --no-audio --osd-level=0 --no-osc --keep-open".split()
        )
        desktop.start(["mpv", *options, f"--input-ipc-server={path}", f"--geometry={geometry}", str(clip)])
        desktop.await_window("mpv")
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))

    def step(self) -> None:
        self._socket.sendall(b'{"command": ["frame-step"]}\n')
