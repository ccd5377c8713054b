"""A virtual X screen: starts Xvfb, runs programs on it and reads its pixels."""

import os
import random
import shutil
import signal
import struct
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

FONTS_CONF = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<include>/etc/fonts/fonts.conf</include><match target="pattern">
<edit name="antialias" mode="assign"><bool>true</bool></edit>
<edit name="rgba" mode="assign"><const>{rgba}</const></edit>
<edit name="hintstyle" mode="assign"><const>{hint}</const></edit>
<edit name="lcdfilter" mode="assign"><const>lcddefault</const></edit></match></fontconfig>"""


class Screen:
    """`with Screen(7, subpixel=True) as screen:` - everything started on it ends with the block."""

    def __init__(self, number: int, subpixel: bool, dark: bool, width: int = 1280, height: int = 720):
        self.number, self.width, self.height = number, width, height
        self.home = Path(tempfile.mkdtemp(prefix="record-"))
        conf = self.home / "fonts.conf"
        conf.write_text(FONTS_CONF.format(rgba="rgb" if subpixel else "none", hint="hintslight"))
        self.environment = os.environ | {
            "DISPLAY": f":{number}",
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.home),
            "FONTCONFIG_FILE": str(conf),
            "GTK_THEME": "Adwaita:dark" if dark else "Adwaita",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "LC_ALL": "C.UTF-8",
            "NO_AT_BRIDGE": "1",
        }
        self.programs: list[subprocess.Popen] = []

    def __enter__(self) -> "Screen":
        geometry = f"{self.width}x{self.height}x24"
        self.start(
            ["Xvfb", f":{self.number}", "-screen", "0", geometry, "-fbdir", str(self.home), "-nocursor"]
        )
        for _ in range(100):
            if Path(f"/tmp/.X11-unix/X{self.number}").exists():
                break
            time.sleep(0.05)
        self.start(["openbox"])
        return self

    def __exit__(self, *_) -> None:
        for program in reversed(self.programs):
            if program.poll() is None:
                os.killpg(program.pid, signal.SIGTERM)
                try:
                    program.wait(3)
                except subprocess.TimeoutExpired:
                    os.killpg(program.pid, signal.SIGKILL)
        shutil.rmtree(self.home, ignore_errors=True)

    def start(self, command: list[str]) -> None:
        quiet = subprocess.DEVNULL
        program = subprocess.Popen(
            command, env=self.environment, cwd=self.home, start_new_session=True, stdout=quiet, stderr=quiet
        )
        self.programs.append(program)

    def run(self, command: list[str]) -> None:
        quiet = subprocess.DEVNULL
        subprocess.run(command, env=self.environment, cwd=self.home, stdout=quiet, stderr=quiet, timeout=20)

    def settle_windows(self, rng: random.Random) -> None:
        """Gives each window a place and a size; they may overlap."""
        time.sleep(2)
        found = subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--name", "."], env=self.environment, capture_output=True
        )
        windows = found.stdout.split()
        for window in windows:
            width, height = (self.width, self.height) if len(windows) == 1 else (800, 480)
            x, y = rng.randint(0, self.width - width), rng.randint(0, self.height - height)
            self.run(["xdotool", "windowsize", window, str(width), str(height)])
            self.run(["xdotool", "windowmove", window, str(x), str(y)])

    def pixels(self) -> np.ndarray:
        """The screen as uint8 [height, width, 3]; Xvfb keeps it as an XWD file, BGRX after the colour map."""
        raw = (self.home / "Xvfb_screen0").read_bytes()
        header = struct.unpack(">25I", raw[:100])
        start = header[0] + header[19] * 12
        rows = np.frombuffer(raw, np.uint8, header[12] * self.height, start).reshape(self.height, header[12])
        return rows[:, : self.width * 4].reshape(self.height, self.width, 4)[..., 2::-1].copy()
