"""A virtual X display with a window manager: what programs, people and tests do there."""

import ctypes
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from PIL import Image, ImageGrab

X11 = ctypes.CDLL("libX11.so.6")
X11.XOpenDisplay.restype = ctypes.c_void_p
X11.XDefaultRootWindow.restype = ctypes.c_ulong
# A window may go while it is asked about: an answer of zeros is then good enough.
IGNORE_ERRORS = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(lambda *_: 0)
X11.XSetErrorHandler(IGNORE_ERRORS)
XFIXES = ctypes.CDLL("libXfixes.so.3")


class CursorImage(ctypes.Structure):
    """XFixesCursorImage of <X11/extensions/Xfixes.h>."""

    _fields_ = [(name, ctypes.c_short) for name in ("x", "y")]
    _fields_ += [(name, ctypes.c_ushort) for name in ("width", "height", "xhot", "yhot")]
    _fields_ += [("serial", ctypes.c_ulong), ("pixels", ctypes.POINTER(ctypes.c_ulong))]


XFIXES.XFixesGetCursorImage.restype = ctypes.POINTER(CursorImage)


def wait_until(condition, what: str, seconds: float = 10):
    """The first true value of `condition`; AssertionError when none comes."""
    limit = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > limit:
            raise AssertionError(f"within {seconds} s: no {what}")
        time.sleep(0.02)
    return value


class Display:
    """`with Display("1024x768") as display:`; what is started on it ends with the block."""

    def __init__(self, size: str):
        self.size = size
        self._stack = ExitStack()

    def __enter__(self) -> "Display":
        self.home = Path(tempfile.mkdtemp(prefix="latentdesk-"))
        self._stack.callback(shutil.rmtree, self.home, ignore_errors=True)
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "DBUS_", "LC_"))}
        self.environment |= {
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "GSETTINGS_BACKEND": "memory",
            "NO_AT_BRIDGE": "1",
        }
        settings = self.home / ".config/gtk-3.0/settings.ini"
        settings.parent.mkdir(parents=True)
        settings.write_text(
            "[Settings]\ngtk-cursor-blink=0\ngtk-enable-animations=0\n"
        )  # so that the screen comes to rest
        self.name = self._start_server()
        self.environment["DISPLAY"] = self.name
        self._connection = ctypes.c_void_p(X11.XOpenDisplay(self.name.encode()))
        self._root = ctypes.c_ulong(X11.XDefaultRootWindow(self._connection))
        self._stack.callback(X11.XCloseDisplay, self._connection)
        self.start(["openbox"])
        wait_until(self._has_window_manager, "window manager")
        return self

    def __exit__(self, *_) -> None:
        self._stack.close()

    def _start_server(self) -> str:
        reader, writer = os.pipe()
        command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", f"{self.size}x24", "-nolisten", "tcp"]
        self._run(command, pass_fds=[writer])
        os.close(writer)
        with os.fdopen(reader) as number:
            return ":" + number.readline().strip()

    def _has_window_manager(self) -> bool:
        atom = X11.XInternAtom(self._connection, b"_NET_SUPPORTING_WM_CHECK", 0)
        actual, form = ctypes.c_ulong(), ctypes.c_int()
        count, left, data = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_void_p()
        arguments = [ctypes.byref(value) for value in (actual, form, count, left, data)]
        X11.XGetWindowProperty(self._connection, self._root, ctypes.c_ulong(atom), 0, 1, 0, 0, *arguments)
        return count.value > 0

    def _run(self, command: list, **options) -> subprocess.Popen:
        options.setdefault("stdout", subprocess.DEVNULL)
        process = subprocess.Popen(
            list(map(str, command)), env=self.environment, stderr=subprocess.DEVNULL, **options
        )
        self._stack.callback(self._end, process)
        return process

    @staticmethod
    def _end(process: subprocess.Popen) -> None:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def start(self, command: list, **options) -> subprocess.Popen:
        return self._run(command, **options)

    def output(self, *command: object) -> str:
        """What it prints; empty where it fails."""
        words = list(map(str, command))
        done = subprocess.run(words, env=self.environment, capture_output=True, text=True, timeout=20)
        return done.stdout if done.returncode == 0 else ""

    def xdotool(self, *words: object) -> None:
        subprocess.run(["xdotool", *map(str, words)], env=self.environment, check=True, timeout=30)

    def window(self, title: str, seconds: float = 15) -> str:
        """Waits for the visible window with this title; its id."""
        search = ("xdotool", "search", "--onlyvisible", "--name", title)
        return wait_until(lambda: self.output(*search).split(), f"window {title}", seconds)[-1]

    def windows(self, wm_class: str) -> set[str]:
        """The visible windows of a program, its menus among them."""
        return set(self.output("xdotool", "search", "--onlyvisible", "--class", wm_class).split())

    def geometry(self, window: str) -> tuple[int, int, int, int]:
        """Left, top, width, height, without what the window manager puts around. (xdotool counts that twice.)"""
        root, child, ident = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_ulong(int(window))
        x, y = ctypes.c_int(), ctypes.c_int()
        sizes = [ctypes.c_uint() for _ in range(4)]  # width, height, border, depth
        X11.XGetGeometry(self._connection, ident, *map(ctypes.byref, (root, x, y, *sizes)))
        X11.XTranslateCoordinates(
            self._connection, ident, self._root, 0, 0, *map(ctypes.byref, (x, y, child))
        )
        return x.value, y.value, sizes[0].value, sizes[1].value

    def screen_size(self) -> tuple[int, int]:
        return tuple(map(int, self.output("xdotool", "getdisplaygeometry").split()))

    def picture(self, box: tuple | None = None) -> Image.Image:
        """The screen, or of it left, top, right, bottom."""
        picture = ImageGrab.grab(xdisplay=self.name).convert("RGB")
        return picture.crop(box) if box else picture

    def copied(self) -> str:
        """The text on the clipboard."""
        return self.output("timeout", "2", "xclip", "-selection", "clipboard", "-o")

    def copy(self, text: str) -> None:
        command = ["xclip", "-selection", "clipboard", "-i", "-quiet"]
        process = self._run(command, stdin=subprocess.PIPE, text=True)
        process.stdin.write(text)
        process.stdin.close()
        wait_until(lambda: self.copied() == text, "text on the clipboard")

    def give_keys(self, characters: str) -> None:
        """Puts each character on a key that has none. (xdotool does so only while it types, too short for a busy machine.)"""
        rows = self.output("xmodmap", "-pke").splitlines()
        spare = [row.split()[1] for row in rows if row.rstrip().endswith("=")]
        for code, character in zip(spare[::-1], sorted(set(characters)), strict=False):
            self.output("xmodmap", "-e", f"keycode {code} = U{ord(character):04X}")

    def held_keys(self) -> int:
        bits = ctypes.create_string_buffer(32)
        X11.XQueryKeymap(self._connection, bits)
        return sum(bin(byte).count("1") for byte in bits.raw)

    def cursor(self) -> tuple:
        """How the pointer looks: size, hot spot, and its pixels (ARGB)."""
        image = XFIXES.XFixesGetCursorImage(self._connection).contents
        count = image.width * image.height
        shape = (image.width, image.height, image.xhot, image.yhot, tuple(image.pixels[:count]))
        X11.XFree(ctypes.byref(image))
        return shape

    def take_keyboard(self) -> None:
        """As a window manager does for Alt+Tab: other programs get no keys, and are not told."""
        arguments = (self._connection, self._root, 0, 1, 1, ctypes.c_ulong(0))
        wait_until(lambda: X11.XGrabKeyboard(*arguments) == 0, "keyboard")

    def give_keyboard_back(self) -> None:
        X11.XUngrabKeyboard(self._connection, ctypes.c_ulong(0))
        X11.XFlush(self._connection)

    def pointer(self) -> tuple[int, int, int]:
        """x, y, and the mask of modifiers and buttons that are down."""
        root, child, mask = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_uint()
        x, y, window_x, window_y = (ctypes.c_int() for _ in range(4))
        arguments = [ctypes.byref(v) for v in (root, child, x, y, window_x, window_y, mask)]
        X11.XQueryPointer(self._connection, self._root, *arguments)
        return x.value, y.value, mask.value
