"""Shows pictures on an X display, over the whole screen; libX11 through ctypes."""

import ctypes
import ctypes.util

import numpy as np

Z_PIXMAP, DEPTH = 2, 24


class X11Player:
    """`with X11Player(":7") as player:`; the display has a depth of 24. One thread uses it."""

    def __init__(self, display: str):
        self._x = x = ctypes.CDLL(ctypes.util.find_library("X11"))
        for function in (x.XOpenDisplay, x.XDefaultRootWindow, x.XCreateImage, x.XDefaultVisual, x.XCreateGC):
            function.restype = ctypes.c_void_p
        display_pointer = x.XOpenDisplay(display.encode())
        if not display_pointer:
            raise RuntimeError(f"display {display} cannot be opened")
        self._display = ctypes.c_void_p(display_pointer)
        self._root = ctypes.c_void_p(x.XDefaultRootWindow(self._display))
        self._visual = ctypes.c_void_p(x.XDefaultVisual(self._display, 0))
        # Drawn past all windows, as nothing but these pictures is to show.
        self._gc = ctypes.c_void_p(x.XCreateGC(self._display, self._root, 0, None))

    def __enter__(self) -> "X11Player":
        return self

    def __exit__(self, *_) -> None:
        self._x.XCloseDisplay(self._display)

    def show(self, pixels: np.ndarray) -> None:
        """uint8 [height, width, 4] of BGR0; has been drawn when this returns."""
        pixels = np.ascontiguousarray(pixels)
        height, width = pixels.shape[:2]
        data = ctypes.c_void_p(pixels.ctypes.data)
        image = ctypes.c_void_p(
            self._x.XCreateImage(
                self._display, self._visual, DEPTH, Z_PIXMAP, 0, data, width, height, 32, width * 4
            )
        )
        self._x.XPutImage(self._display, self._root, self._gc, image, 0, 0, 0, 0, width, height)
        self._x.XSync(self._display, 0)
        self._x.XFree(image)  # the structure alone: numpy owns the pixels
