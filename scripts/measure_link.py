#!/usr/bin/python3
"""Squeezes the link between server and viewer from 50 Mbit/s to 300 kbit/s and lets it go again, in network namespaces of its own,
while a moving picture plays; prints a Markdown table. Needs root.

    scripts/measure_link.py [--bin build/release/bin]
"""

import argparse
import re
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from network_link import SERVER, Link, obstacle, process

SIZE, FPS, FRAMES = (640, 480), 30, 15
PHASES = ((6, "50mbit", 50e6), (3, "300kbit", 300e3), (12, "300kbit", 300e3), (10, "50mbit", 50e6))  # seconds, rate of the link
FRAME = re.compile(r"frame \d+: .* latency ([-\d.]+) ms.*?, (\d+) bytes")
BACKLOG = re.compile(r"backlog (\d+)([KM]?)b")


def recording(file: Path) -> None:
    """Waves with a grain that run over the whole picture."""
    x, y = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    grain = np.random.default_rng(1).normal(0, 6, (SIZE[1], SIZE[0], 3))
    with file.open("wb") as out:
        for frame in range(FRAMES):
            phase = 2 * np.pi * frame / FRAMES
            waves = [128 + 90 * np.sin(x / (23 + 9 * c) + y / 31 + (c + 1) * phase) for c in range(3)]
            moved = np.roll(grain, frame * SIZE[0] // FRAMES, axis=1)
            picture = np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
            picture[..., :3] = np.clip(np.stack(waves, -1) + moved, 0, 255)
            out.write(picture.tobytes())


class Frames:
    """What a viewer shows, as (when, latency in ms, bytes)."""

    def __init__(self, command: list[str], stack: ExitStack):
        self.viewer = stack.enter_context(process(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))
        self.found = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self) -> None:
        for line in self.viewer.stdout:
            if match := FRAME.match(line):
                self.found.append((time.monotonic(), *map(float, match.groups())))

    def between(self, begin: float, end: float) -> list[tuple]:
        return [entry for entry in self.found if begin <= entry[0] < end]


def longest_queue(link: Link, seconds: float, bits_per_second: float) -> float:
    """Looks at what waits for the link, ten times a second; how long that will take at most, ms."""
    worst, end = 0.0, time.monotonic() + seconds
    while time.monotonic() < end:
        shown = subprocess.run(link.at(0, "tc", "-s", "qdisc", "show", "dev", "link0"), capture_output=True, text=True).stdout
        number, unit = BACKLOG.search(shown).groups()
        worst = max(worst, int(number) * {"": 1, "K": 1e3, "M": 1e6}[unit] * 8e3 / bits_per_second)
        time.sleep(0.1)
    return worst


def staleness(frames: list[tuple], begin: float, end: float) -> float:
    """How old, at most, what the viewer showed was at any time, ms: a picture ages until the next one comes."""
    worst, shown = 0.0, None
    for when, latency, _ in frames:
        captured = when - latency / 1000
        if shown is not None and begin <= when < end:
            worst = max(worst, when - shown)
        shown = captured
    return 1000 * worst


def recovery(frames: list[tuple], begin: float, usual: float) -> float | None:
    """After how many seconds half a second of frames is again as large as they usually are; None: not at all."""
    for index in range(len(frames)):
        window = [size for when, _, size in frames[index:] if when < frames[index][0] + 0.5]
        if frames[index][0] >= begin and len(window) >= 5 and sum(window) / len(window) >= 0.9 * usual:
            return frames[index][0] - begin
    return None


def measure(bin: Path, folder: Path) -> list[tuple]:
    recording(folder / "frames.bgr0")
    with Link() as link, ExitStack() as stack:
        link.squeeze(PHASES[0][1])
        size = f"{SIZE[0]}x{SIZE[1]}"
        server = link.at(0, bin / "latentdesk-server", "--listen", f"{SERVER}:8765", "--insecure", "--source", f"raw:{folder}/frames.bgr0",
                         "--loop", "--size", size, "--fps", FPS, "--threads", 1)
        stack.enter_context(process(server, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        time.sleep(2)
        viewer = link.at(1, bin / "latentdesk-viewer", "--headless", "--log-level", "debug", "--threads", 1, f"ws://{SERVER}:8765")
        frames = Frames(viewer, stack)
        time.sleep(2)  # to begin
        times, queues = [time.monotonic()], []
        for seconds, rate, bits in PHASES:
            link.squeeze(rate)
            queues.append(longest_queue(link, seconds, bits))
            times.append(time.monotonic())
    return evaluate(frames, times, queues)


def evaluate(frames: Frames, times: list[float], queues: list[float]) -> list[tuple]:
    begin, squeeze, found_out, release, end = times
    before = frames.between(begin, squeeze)
    back = recovery(frames.found, release, sum(size for _, _, size in before) / len(before))

    def row(what: str, first: float, last: float, queue: float) -> tuple:
        shown = frames.between(first, last)
        rate = 8e-3 * sum(size for _, _, size in shown) / (last - first)
        age = staleness(frames.found, first, last)
        return what, f"{len(shown) / (last - first):.1f} frames/s, {rate:.0f} kbit/s", f"{age:.0f} ms", f"{queue:.0f} ms"

    return [
        row("50 Mbit/s", begin, squeeze, queues[0]),
        row("300 kbit/s: first 3 s", squeeze, found_out, queues[1]),
        row("300 kbit/s: after that", found_out, release, queues[2]),
        row("50 Mbit/s again", release, end, queues[3]),
        ("frames as large as before again after", "never" if back is None else f"{back:.1f} s", "", ""),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=Path(__file__).parents[1] / "build/release/bin")
    options = parser.parse_args()
    if reason := obstacle():
        sys.exit(reason)
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(options.bin, Path(folder))
    print("| link | shown | age of what is shown, at most | queue of the link, at most |\n|---|---|---|---|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


main()
