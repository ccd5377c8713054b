"""A network of two namespaces and the link between them, which can be cut and squeezed. Needs root."""

import itertools
import os
import subprocess
import time
from contextlib import contextmanager

NUMBERS = itertools.count()
SERVER, VIEWER = "10.77.0.1", "10.77.0.2"


def run(*command):
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


class Link:
    """Two namespaces, `server` and `viewer`, and the link between them, which can be cut."""

    def __init__(self):
        self.names = [f"latentdesk-{side}-{os.getpid()}-{next(NUMBERS)}" for side in ("server", "viewer")]

    def __enter__(self):
        for name in self.names:
            run("ip", "netns", "add", name)
        run("ip", "-n", self.names[0], "link", "add", "link0", "type", "veth", "peer", "name", "link0", "netns", self.names[1])
        for name, address in zip(self.names, (SERVER, VIEWER)):
            run("ip", "-n", name, "address", "add", f"{address}/24", "dev", "link0")
            for device in ("lo", "link0"):
                run("ip", "-n", name, "link", "set", device, "up")
        return self

    def __exit__(self, *_):
        for name in self.names:
            subprocess.run(["ip", "netns", "delete", name], stderr=subprocess.DEVNULL)

    def at(self, side, *command):
        """The command line that runs there: 0 is the server's side."""
        return ["ip", "netns", "exec", self.names[side], *map(str, command)]

    def squeeze(self, rate, queue_bytes=1_000_000):
        """What goes to the viewer's side passes at so many bits a second, behind a queue of so many bytes."""
        run(*self.at(0, "tc", "qdisc", "replace", "dev", "link0", "root", "tbf", "rate", rate, "burst", 16_000, "limit", queue_bytes))

    def take_down(self):
        run("ip", "-n", self.names[1], "link", "set", "link0", "down")

    def bring_up(self):
        """Returns when that was: the kernel may take a second to notice at the other end."""
        run("ip", "-n", self.names[1], "link", "set", "link0", "up")
        while not all(self.is_up(side) for side in (0, 1)):
            time.sleep(0.002)
        return time.monotonic()

    def is_up(self, side):
        command = ["ip", "-n", self.names[side], "-brief", "link", "show", "link0"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[1] == "UP"

    def swallow(self):
        """Packets vanish, and nobody says so."""
        for direction in ("INPUT", "OUTPUT"):
            run(*self.at(1, "iptables", "-A", direction, "-i" if direction == "INPUT" else "-o", "link0", "-j", "DROP"))

    def release(self):
        """Returns when that began."""
        began = time.monotonic()
        run(*self.at(1, "iptables", "-F"))
        return began


@contextmanager
def process(command, **options):
    child = subprocess.Popen([str(word) for word in command], **options)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def obstacle():
    """Why there can be no such network here; None when there can."""
    try:
        with Link() as link:
            link.squeeze("50mbit")
            link.swallow()
            link.release()
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no network namespaces here ({error})"
    return None
