"""A server whose desktop has an editor on it, and a viewer with a person before it, who is xdotool."""

import re
import time
from contextlib import ExitStack
from pathlib import Path

from display import Display, wait_until
from PIL import Image, ImageChops

REMOTE_SIZE, LOCAL_SIZE = "1024x768", "1400x1000"


class Session:
    """`with Session(bin) as session:`; each side has an X display of its own."""

    def __init__(self, bin: Path, *viewer_options: str, title: str = "nobody in control"):
        self.bin, self.viewer_options = bin, viewer_options
        self.first_title = rf"\(1024x768, {title}\)"
        self._stack = ExitStack()

    def __enter__(self) -> "Session":
        try:
            self._begin()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_) -> None:
        self._stack.close()

    def _begin(self) -> None:
        self.remote = self._stack.enter_context(Display(REMOTE_SIZE))
        self.local = self._stack.enter_context(Display(LOCAL_SIZE))
        self.file = self.remote.home / "notes.txt"
        self.file.write_text("")
        self.remote.start(["mousepad", "--disable-server", self.file])
        self.editor = self.remote.window("Mousepad")
        self.place_editor()
        self.server_log = self.remote.home / "server.log"
        server = [self.bin / "latentdesk-server", "--display", self.remote.name, "--listen", "127.0.0.1:0"]
        self.server = self.remote.start(server, stdout=self._stack.enter_context(open(self.server_log, "w")))
        url = "ws://" + wait_until(self._server_address, "server")
        self.viewer_log = self.local.home / "viewer.log"
        viewer = [self.bin / "latentdesk-viewer", "--log-level", "debug", *self.viewer_options, url]
        self.viewer = self.local.start(viewer, stdout=self._stack.enter_context(open(self.viewer_log, "w")))
        self.window = self.local.window("latentdesk")
        self.await_title(self.first_title)
        wait_until(
            lambda: self.local.geometry(self.window)[2:] == (1024, 768), "window of the desktop's size"
        )

    def _server_address(self) -> str:
        found = re.search(r"listening on (\S+)", self.server_log.read_text())
        return found[1] if found else ""

    # --- what can be seen ---

    def title(self) -> str:
        return self.local.output("xdotool", "getwindowname", self.window)

    def await_title(self, pattern: str) -> None:
        wait_until(lambda: re.search(pattern, self.title()), f"title {pattern}")

    def shown(self) -> Image.Image:
        """What the viewer's window shows."""
        left, top, width, height = self.local.geometry(self.window)
        return self.local.picture((left, top, left + width, top + height))

    def is_exact(self) -> bool:
        return ImageChops.difference(self.remote.picture(), self.shown()).getbbox() is None

    def updates(self) -> int:
        """Pictures that the viewer has got."""
        return sum(line.startswith("frame ") for line in self.viewer_log.read_text().splitlines())

    def await_rest(self) -> None:
        count = -1
        while count != (count := self.updates()):
            time.sleep(1)

    # --- the person before the viewer ---

    def at(self, x: int, y: int) -> tuple[int, int]:
        """Where a pixel of the desktop is on the viewer's screen."""
        left, top, *_ = self.local.geometry(self.window)
        return left + x, top + y

    def move(self, x: int, y: int) -> None:
        self.local.xdotool("mousemove", *self.at(x, y))

    def click(self, x: int, y: int) -> None:
        self.move(x, y)
        self.local.xdotool("click", 1)

    def key(self, *keys: str) -> None:
        self.local.xdotool("key", "--delay", 60, *keys)

    def type(self, text: str) -> None:
        self.local.xdotool("type", "--delay", 40, text)

    def copy_elsewhere(self, text: str) -> None:
        """In another window of the viewer's screen."""
        other = self.local.start(["xterm", "-geometry", "40x5+0+0", "-T", "other"])
        self.local.xdotool("windowfocus", "--sync", self.local.window("other"))
        self.local.copy(text)
        self.local.xdotool("windowfocus", "--sync", self.window)
        other.terminate()

    # --- the editor ---

    def place_editor(self) -> None:
        self.remote.xdotool("windowsize", "--sync", self.editor, 500, 400)
        self.remote.xdotool("windowmove", "--sync", self.editor, 100, 80)

    def enter_editor(self) -> None:
        left, top, width, height = self.remote.geometry(self.editor)
        self.click(left + width // 2, top + height - 100)
        self.await_title("in control")

    def clear_editor(self) -> None:
        self.enter_editor()
        self.key("ctrl+a", "Delete")
        self.await_saved("")

    def await_saved(self, text: str) -> None:
        """Saves again and again, since keys may still be on their way."""

        def saved() -> str:
            return self.file.read_text().removesuffix("\n")

        def is_saved() -> bool:
            self.key("ctrl+s")
            time.sleep(0.2)
            return saved() == text.removesuffix("\n")

        try:
            wait_until(is_saved, "saved text", 4)
        except AssertionError:
            raise AssertionError(f"saved {saved()!r} instead of {text!r}") from None
