#!/usr/bin/python3
"""Measures the whole stream on this machine, server and viewers sharing its cores, and prints a Markdown table.

    scripts/measure_stream.py [--bin build/release/bin] [--seconds 10]
"""

import argparse
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# A terminal that changes 15 times a second, on a clock of its own, however busy the machine is: by so many lines of text.
LINES = """
import itertools, time
begin = time.monotonic()
for i in itertools.count():
    print(*(f"{i} {k} the quick brown fox number {7919 * (i + k) % 9973} jumps over the lazy dog" for k in range(COUNT)), sep="\\n", flush=True)
    time.sleep(max(0, begin + i / 15 - time.monotonic()))
"""


def cpu_seconds(process: subprocess.Popen) -> float:
    """Of all its threads, as the scheduler counts it."""
    threads = Path(f"/proc/{process.pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


class Server:
    """A server on a port of its own, ended with the `with` block."""

    def __init__(self, bin: Path, *arguments: str):
        self.log = tempfile.TemporaryFile("w+")
        command = [bin / "latentdesk-server", "--listen", "127.0.0.1:0", *arguments]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT)
        self.url = "ws://" + self.wait_for_address()

    def wait_for_address(self) -> str:
        for _ in range(200):
            self.log.seek(0)
            for line in self.log:
                if "listening on " in line:
                    return line.split("listening on ")[1].strip()
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.log.seek(0)
        sys.exit(f"the server did not start:\n{self.log.read()}")

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.process)

    def memory_mib(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


class Viewer:
    """A headless viewer that ends by itself; `result` waits for its statistics."""

    def __init__(self, bin: Path, url: str, seconds: float, *arguments: str):
        self.stats = tempfile.NamedTemporaryFile(suffix=".json")
        command = [bin / "latentdesk-viewer", "--headless", "--seconds", str(seconds), "--stats-json", self.stats.name]
        self.process = subprocess.Popen(
            [*command, *arguments, url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def result(self) -> dict:
        self.process.wait()
        return json.loads(Path(self.stats.name).read_text())


def lines(count: int) -> list[str]:
    return [sys.executable, "-c", LINES.replace("COUNT", str(count))]


def desktop(size: str, *program: str) -> list[str]:
    xterm = ["xterm", "-fa", "DejaVu Sans Mono", "-fs", "10", "-geometry", "150x50+0+0", "-e", *program]
    return ["--start-display", size, "--", *xterm]


def latency(bin: Path, seconds: float) -> list[tuple]:
    with Server(bin, *desktop("1280x720", *lines(1))) as server:
        time.sleep(2)
        result = Viewer(bin, server.url, seconds).result()
    stages = result["stages"]
    return [
        ("720p terminal at 15 changes a second: frames a second", f"{result['fps']:.1f}"),
        ("capture to presented, p50 / p95", "{p50_ms:.1f} / {p95_ms:.1f} ms".format(**stages["latency"])),
        ("viewer's decode, p50", f"{stages['decode']['p50_ms']:.1f} ms"),
    ]


def idle(bin: Path, seconds: float) -> list[tuple]:
    with Server(bin, *desktop("1280x720", "sleep", "1000")) as server:
        viewer = Viewer(bin, server.url, seconds + 4)
        time.sleep(3)
        before = server.cpu_seconds(), cpu_seconds(viewer.process)
        time.sleep(seconds)
        used = server.cpu_seconds() - before[0], cpu_seconds(viewer.process) - before[1]
        frames = viewer.result()["frames"]
    return [
        ("idle desktop, one viewer: server's CPU", f"{100 * used[0] / seconds:.2f} % of a core"),
        ("idle desktop: viewer's CPU", f"{100 * used[1] / seconds:.2f} % of a core"),
        ("idle desktop: updates in all", f"{frames}"),
    ]


class Display:
    """An Xvfb of its own, with what it takes to press keys and to see what comes of it; ended with the `with` block."""

    def __init__(self):
        command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x720x24", "-ac"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.name = ":" + self.process.stdout.readline().strip()
        self.environment = {**os.environ, "DISPLAY": self.name}
        self.x11, self.xtst = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXtst.so.6")
        for function in (self.x11.XOpenDisplay, self.x11.XDefaultRootWindow, self.x11.XGetImage):
            function.restype = ctypes.c_void_p
        self.connection = ctypes.c_void_p(self.x11.XOpenDisplay(self.name.encode()))
        self.root = ctypes.c_void_p(self.x11.XDefaultRootWindow(self.connection))
        self.code = self.x11.XKeysymToKeycode(self.connection, ctypes.c_ulong(ord("e")))

    def open_terminal(self) -> subprocess.Popen:
        """Covers the screen; shows what is typed."""
        command = ["xterm", "-fa", "DejaVu Sans Mono", "-fs", "10", "-geometry", "150x50+0+0", "-e", "cat"]
        return subprocess.Popen(command, env=self.environment, stderr=subprocess.DEVNULL)

    def press_key(self) -> None:
        for pressed in (1, 0):
            self.xtst.XTestFakeKeyEvent(self.connection, self.code, pressed, 0)
        self.x11.XFlush(self.connection)

    def first_line(self) -> bytes:
        """The pixels of the first line of text."""
        height, all_planes, by_pixels = 18, ctypes.c_ulong(0xFFFFFF), 2
        image = ctypes.c_void_p(
            self.x11.XGetImage(self.connection, self.root, 0, 0, 1280, height, all_planes, by_pixels)
        )
        data = ctypes.c_void_p.from_address(image.value + 16)  # XImage: four ints, then the pixels
        pixels = ctypes.string_at(data.value, 1280 * height * 4)
        self.x11.XFree(data)
        self.x11.XFree(image)
        return pixels

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.x11.XCloseDisplay(self.connection)
        self.process.terminate()
        self.process.wait()


def percentiles(times: list[float]) -> str:
    times = sorted(times)
    return f"{times[len(times) // 2]:.1f} / {times[len(times) * 95 // 100]:.1f} ms"


def keys(bin: Path, seconds: float) -> list[tuple]:
    """From a key's injection by XTest on the server's display to when the viewer has the picture with its glyph."""
    times = []
    with Display() as display, Server(bin, "--display", display.name) as server:
        terminal = display.open_terminal()
        time.sleep(2)
        command = [
            bin / "latentdesk-viewer",
            "--headless",
            "--log-level",
            "debug",
            "--seconds",
            str(seconds),
            server.url,
        ]
        viewer = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        lines = viewer.stdout.fileno()
        time.sleep(2)
        end = time.monotonic() + seconds - 3
        while time.monotonic() < end:
            while select.select([lines], [], [], 0.25)[0] and os.read(lines, 65536):
                pass  # until all is at rest
            begin = time.monotonic()
            display.press_key()
            if select.select([lines], [], [], 1)[0]:
                os.read(lines, 65536)
                times.append(1000 * (time.monotonic() - begin))
        viewer.terminate()
        terminal.terminate()
    return [(f"key injected to glyph presented, p50 / p95 of {len(times)} keys", percentiles(times))]


def viewer_keys(bin: Path, seconds: float) -> list[tuple]:
    """From a key's press on the viewer's display to its glyph there, by way of the server."""
    times = []
    with Display() as remote, Display() as local, Server(bin, "--display", remote.name) as server:
        terminal = remote.open_terminal()
        time.sleep(1)
        viewer = subprocess.Popen(
            [bin / "latentdesk-viewer", server.url],
            env=local.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(3)
        for _ in range(min(100, int(4 * seconds))):
            time.sleep(0.25)
            before, begin = local.first_line(), time.monotonic()
            local.press_key()
            while local.first_line() == before and time.monotonic() < begin + 1:
                pass
            if time.monotonic() < begin + 1:
                times.append(1000 * (time.monotonic() - begin))
        viewer.terminate()
        terminal.terminate()
    return [(f"key pressed at the viewer to glyph in its window, p50 / p95 of {len(times)} keys", percentiles(times))]


def crowd(bin: Path, server: Server, seconds: float, count: int) -> tuple[float, float]:
    """The fewest updates a second that one of so many viewers gets, and the server's CPU, percent of a core, while all are there."""
    start = 1 + count / 20
    viewers = [Viewer(bin, server.url, seconds + 2 * start, "--no-decode") for _ in range(count)]
    time.sleep(start)
    before, began = server.cpu_seconds(), time.monotonic()
    time.sleep(seconds)
    used = 100 * (server.cpu_seconds() - before) / (time.monotonic() - began)
    return min(viewer.result()["fps"] for viewer in viewers), used


def fan_out(bin: Path, seconds: float) -> list[tuple]:
    with Server(bin, *desktop("1280x720", *lines(5))) as server:
        time.sleep(2)
        Viewer(bin, server.url, 10).result()  # until all that was there before it is exact
        alone, alone_cpu = crowd(bin, server, seconds, 1)
        memory_before = server.memory_mib()
        stopped = Viewer(bin, server.url, 1000, "--no-decode")
        time.sleep(1)
        stopped.process.send_signal(signal.SIGSTOP)
        ten, _ = crowd(bin, server, seconds, 10)
        memory_after = server.memory_mib()
        stopped.process.kill()
        fifty, fifty_cpu = crowd(bin, server, seconds, 50)
    return [
        ("a terminal with five lines at a time, one viewer alone: updates a second", f"{alone:.1f}"),
        ("ten viewers beside a stopped one: fewest updates a second", f"{ten:.1f} ({100 * ten / alone:.0f} %)"),
        ("fifty viewers: fewest updates a second", f"{fifty:.1f} ({100 * fifty / alone:.0f} %)"),
        (
            "fifty viewers: server's CPU against one viewer's",
            f"{fifty_cpu:.1f} % / {alone_cpu:.1f} % of a core = {fifty_cpu / alone_cpu:.1f}",
        ),
        ("server's memory before and after", f"{memory_before:.0f} and {memory_after:.0f} MiB"),
    ]


def memory(bin: Path, seconds: float) -> list[tuple]:
    with Server(bin, *desktop("1920x1080", *lines(1))) as server:
        Viewer(bin, server.url, seconds).result()
        used = server.memory_mib()
    return [("server's memory at 1920x1080", f"{used:.0f} MiB")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=Path(__file__).parents[1] / "build/release/bin")
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    print("| what | measured |\n|---|---|")
    for measure in (latency, keys, viewer_keys, idle, fan_out, memory):
        for name, value in measure(options.bin, options.seconds):
            print(f"| {name} | {value} |", flush=True)


main()
