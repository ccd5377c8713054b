#!/usr/bin/python3
"""The life of a connection, with the real programs and a real link: two network namespaces and a pair of virtual
interfaces. Needs root; exits with 77 where namespaces cannot be made.

    tests/life_test.py BIN_FOLDER [CASE...]
"""

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from network_link import SERVER, Link, obstacle, process, run  # noqa: E402

SKIPPED = 77
PORT = 8765
SCREEN = ["-screen", "0", "1280x720x24", "-ac", "-noreset"]
CUT_SECONDS = 3
BACK_WITHIN = 0.3 if os.getloadavg()[0] < os.cpu_count() else 0.6  # where others use the machine too
FRAME = re.compile(r"frame \d+: .* latency ([-\d.]+) ms.*?, (\d+) bytes")


class Viewer:
    """A native viewer without a window; `frames` are (when, bytes) of what it has shown."""

    def __init__(self, link, bin, folder, name, side, stack):
        self.screenshot = folder / f"{name}.png"
        self.log = folder / f"{name}.log"
        command = link.at(side, bin / "latentdesk-viewer", "--headless", "--log-level", "debug", "--threads", "1",
                          "--screenshot", self.screenshot, f"ws://{SERVER}:{PORT}")
        self.process = stack.enter_context(process(command, stdout=subprocess.PIPE, stderr=self.log.open("w"), text=True))
        self.frames = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            if match := FRAME.match(line):
                self.frames.append((time.monotonic(), int(match[2])))

    def wait_for_rest(self, seconds=0.7, limit=10):
        """Until no frame has come for a while; there must be one."""
        end = time.monotonic() + limit
        while not self.frames or time.monotonic() - self.frames[-1][0] < seconds:
            assert time.monotonic() < end, f"the viewer does not come to rest:\n{self.log.read_text()}"
            time.sleep(0.05)

    def wait_for_frame(self, after, limit):
        end = time.monotonic() + limit
        while not any(when >= after for when, _ in self.frames):
            assert time.monotonic() < end, f"no frame within {limit} s:\n{self.log.read_text()}"
            time.sleep(0.005)
        return next(when for when, _ in self.frames if when >= after)

    def bytes_since(self, when):
        return sum(size for at, size in self.frames if at >= when)

    def picture(self):
        """Ends it; the PNG of what it has shown."""
        self.process.terminate()
        self.process.wait(10)
        return self.screenshot.read_bytes()


def display(stack):
    """A display, and the process that is it. Outside of the namespaces: inside, abstract sockets are others' and those in
    /tmp the same, so that it would take one of a display that is there."""
    command = ["Xvfb", "-displayfd", "1", *SCREEN]
    xvfb = stack.enter_context(process(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))
    return ":" + xvfb.stdout.readline().strip(), xvfb


class Server:
    def __init__(self, link, bin, folder, stack, name):
        self.log = folder / "server.log"
        command = [bin / "latentdesk-server", "--listen", f"{SERVER}:{PORT}", "--insecure", "--threads", "1", "--display", name]
        self.process = stack.enter_context(process(link.at(0, *command), stdout=self.log.open("w"), stderr=subprocess.STDOUT))
        end = time.monotonic() + 10
        while "listening on" not in self.log.read_text():
            assert time.monotonic() < end and self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)


class Terminal:
    """On a display of its own; shows what is written to it."""

    def __init__(self, folder, stack):
        self.display, _ = display(stack)
        self.text = folder / "text"
        self.text.write_text("".join(f"{i} the quick brown fox jumps over the lazy dog {i * i}\n" for i in range(200)))
        terminal = ["xterm", "-fa", "DejaVu Sans Mono", "-fs", "10", "-geometry", "150x50+0+0", "+sb", "-xrm", "XTerm*cursorBlink:false",
                    "-display", self.display, "-e", "tail", "-n", "+1", "-f", self.text]
        stack.enter_context(process(terminal, stderr=subprocess.DEVNULL))

    def write(self, line):
        with self.text.open("a") as file:
            file.write(line + "\n")


def come_back(link, bin, folder, stack, cut, mend):
    """A cut of three seconds: the screen of now soon after its end, and only what has changed meanwhile."""
    terminal = Terminal(folder, stack)
    server = Server(link, bin, folder, stack, terminal.display)
    time.sleep(1)
    viewer = Viewer(link, bin, folder, "viewer", 1, stack)
    viewer.wait_for_rest()
    whole = viewer.bytes_since(0)
    cut()
    terminal.write("sent, and lost on the way")
    time.sleep(CUT_SECONDS - 0.2)
    terminal.write("while nobody looked")
    time.sleep(0.2)
    back = time.monotonic()
    mended = mend()
    delay = max(viewer.wait_for_frame(back, 5) - mended, 0)
    viewer.wait_for_rest()
    news = viewer.bytes_since(back)
    near = Viewer(link, bin, folder, "near", 0, stack)
    near.wait_for_rest(seconds=1.5)
    assert near.picture() == viewer.picture(), "the viewer does not show what one that was never cut off shows"
    log = viewer.log.read_text()
    assert log.count("connected again") == 1, log
    assert "came back" in server.log.read_text(), server.log.read_text()
    assert delay <= BACK_WITHIN, f"the current screen took {1000 * delay:.0f} ms"
    assert news < whole / 4, f"{news} bytes were sent for two lines of text"
    return f"back after {1000 * delay:.0f} ms with {news} bytes; the whole screen had {whole}"


def link_down(link, *rest):
    return come_back(link, *rest, link.take_down, link.bring_up)


def packets_vanish(link, *rest):
    return come_back(link, *rest, link.swallow, link.release)


def server_restarts(link, bin, folder, stack):
    """The server says goodbye, and its successor, which knows nothing of the viewer, is found at once."""
    terminal = Terminal(folder, stack)
    server = Server(link, bin, folder, stack, terminal.display)
    viewer = Viewer(link, bin, folder, "viewer", 1, stack)
    viewer.wait_for_rest()
    server.process.terminate()
    server.process.wait(10)
    server = Server(link, bin, folder, stack, terminal.display)
    began = time.monotonic()
    viewer.wait_for_frame(began, 5)
    log = viewer.log.read_text()
    assert "the server says goodbye: server is stopping" in log, log
    assert "came back" not in server.log.read_text(), "a new server cannot know it"


def display_restarts(link, bin, folder, stack):
    """The X server goes and comes back under the server: the viewer stays connected and sees the new screen."""
    name, first = display(stack)
    server = Server(link, bin, folder, stack, name)
    viewer = Viewer(link, bin, folder, "viewer", 1, stack)
    viewer.wait_for_rest()
    first.terminate()
    first.wait(10)
    stack.enter_context(process(["Xvfb", name, *SCREEN], stderr=subprocess.DEVNULL))
    back = time.monotonic()
    time.sleep(0.5)
    run("xsetroot", "-display", name, "-solid", "#204060")
    viewer.wait_for_frame(back, 5)
    viewer.wait_for_rest()
    near = Viewer(link, bin, folder, "near", 0, stack)
    near.wait_for_rest()
    assert near.picture() == viewer.picture(), "the viewer does not show the new screen"
    assert "connected again" not in viewer.log.read_text(), viewer.log.read_text()
    assert "trying again" in server.log.read_text(), server.log.read_text()


CASES = {case.__name__: case for case in (link_down, packets_vanish, server_restarts, display_restarts)}


def try_case(name, bin):
    try:
        with Link() as link, tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            result = CASES[name](link, bin, Path(folder), stack)
    except AssertionError as failure:
        print(f"{name}: FAILED: {failure}", flush=True)
        return False
    print(f"{name}: {result or 'passed'}", flush=True)
    return True


def main():
    bin, *names = sys.argv[1:]
    if reason := obstacle():
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    names = names or list(CASES)
    with ThreadPoolExecutor() as threads:  # they wait most of the time
        passed = list(threads.map(lambda name: try_case(name, Path(bin)), names))
    sys.exit(not all(passed))


main()
