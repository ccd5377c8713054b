#!/usr/bin/python3
"""A desktop is used through the real viewer: both have an X display of their own, and xdotool is the person before the viewer.

    tests/desk/desk_test.py [--bin build/release/bin] [TEST...]

TEST as for unittest, e.g. Use.test_typing.
"""

import argparse
import os
import re
import signal
import sys
import time
import unittest
from pathlib import Path

from display import wait_until
from PIL import ImageChops
from session import Session

REPOSITORY = Path(__file__).resolve().parents[2]
BIN = REPOSITORY / "build/release/bin"
TEXT = "Grüße, 안녕, ¿qué? 42"
PASTED = "eingefügt: 붙여넣기 ✓\n"
SHIFT_MASK, LEFT_MASK = 1, 1 << 8


class Use(unittest.TestCase):
    """One session for all; each test finds an empty editor that has the keyboard."""

    @classmethod
    def setUpClass(cls):
        session = cls.session = cls.enterClassContext(Session(BIN))
        cls.remote, cls.local = session.remote, session.local
        cls.set_layout("us")

    @classmethod
    def set_layout(cls, name: str):
        """The viewer's, with all that is typed here on some key."""
        cls.local.output("setxkbmap", name)
        cls.local.give_keys("".join(c for c in TEXT if not c.isascii()))

    def setUp(self):
        self.session.place_editor()
        self.session.clear_editor()

    def test_typing(self):
        self.session.type(TEXT)
        self.session.await_saved(TEXT)
        self.assertEqual(self.remote.held_keys(), 0)

    def test_the_viewers_layout_counts(self):
        """Dead keys, AltGr and places of the viewer's layout, while the server has another."""
        self.addCleanup(self.set_layout, "us")
        self.set_layout("de")
        keys = [
            "z",
            "y",
            "dead_acute",
            "e",
            "ISO_Level3_Shift+q",
            "shift+7",
            "EuroSign",
            "minus",
            "udiaeresis",
        ]
        self.session.key(*keys)
        self.session.await_saved("zyé@/€-ü")

    def test_a_held_key_is_repeated_by_the_server_alone(self):
        self.local.xdotool("keydown", "x", "sleep", 1.2, "keyup", "x")
        time.sleep(0.3)
        self.session.key("ctrl+s")
        text = wait_until(lambda: self.session.file.read_text().strip(), "saved text")
        self.assertEqual(set(text), {"x"})
        # By default from 660 ms on, 25 a second; twice that if the viewer's repetitions came too.
        self.assertTrue(5 <= len(text) <= 20, f"{len(text)} times")

    def test_menu(self):
        before = self.remote.windows("Mousepad")
        left, top, *_ = self.remote.geometry(self.session.editor)
        picture = self.remote.picture()
        self.session.click(left + 18, top + 14)
        menu = wait_until(lambda: self.remote.windows("Mousepad") - before, "menu")
        x, y, width, height = self.remote.geometry(menu.pop())
        self.assertGreater(width * height, 10000)
        box = (x, y, x + width, y + height)
        self.assertIsNotNone(ImageChops.difference(picture.crop(box), self.remote.picture(box)).getbbox())
        self.session.key("Escape")
        wait_until(lambda: self.remote.windows("Mousepad") == before, "end of the menu")

    def test_clipboard_both_ways(self):
        self.session.type(TEXT)
        self.session.key("ctrl+a", "ctrl+c")
        wait_until(lambda: self.local.copied() == TEXT, "copied text at the viewer")
        for text in (PASTED, TEXT):
            self.session.copy_elsewhere(text)
            self.session.key("ctrl+a", "ctrl+v")
            self.session.await_saved(text)

    def test_what_was_copied_before_control_is_pasted_by_the_first_command(self):
        self.session.key("ctrl+alt+shift+c")
        self.session.await_title("nobody in control")
        self.session.copy_elsewhere(PASTED)
        self.session.key("ctrl+v")
        self.session.await_saved(PASTED)

    def test_a_window_is_dragged(self):
        left, top, *_ = self.remote.geometry(self.session.editor)
        self.session.move(left + 150, top - 10)  # its title bar
        self.local.xdotool("mousedown", 1)
        for step in range(1, 11):
            self.session.move(left + 150 + 20 * step, top - 10 + 12 * step)
        self.local.xdotool("mouseup", 1)
        there = (left + 200, top + 120)
        wait_until(lambda: self.remote.geometry(self.session.editor)[:2] == there, "dragged window")
        wait_until(lambda: self.remote.pointer()[2] == 0, "released button")

    def test_wheel_and_buttons(self):
        events = self.remote.home / "events"
        with open(events, "w") as file:
            xev = self.remote.start(["xev", "-geometry", "200x200+700+300", "-event", "button"], stdout=file)
        self.addCleanup(xev.terminate)
        left, top, *_ = self.remote.geometry(self.remote.window("Event Tester"))
        self.session.move(left + 100, top + 60)
        for button in range(1, 10):
            self.local.xdotool("click", button)
        wait_until(lambda: events.read_text().count("ButtonRelease") >= 9, "nine clicks")
        self.assertEqual(
            re.findall(r"ButtonRelease.*?button (\d)", events.read_text(), re.S), list("123456789")
        )
        self.assertIn("(100,60)", events.read_text())

    def test_commands_and_hot_keys(self):
        """Ctrl+Shift+Left selects a word; a hot key leaves nothing held, and its letter is not typed."""
        self.session.type("one two")
        self.session.key("ctrl+shift+Left")
        self.local.xdotool("keydown", "ctrl", "keydown", "alt", "keydown", "shift")
        wait_until(lambda: self.remote.held_keys() == 3, "three held keys")
        self.local.xdotool("key", "h")
        wait_until(lambda: self.remote.held_keys() == 0, "released keys")
        self.local.xdotool("keyup", "shift", "keyup", "alt", "keyup", "ctrl")
        self.session.key("Delete", "BackSpace")
        self.session.await_saved("one")

    def test_nothing_stays_held_when_the_window_loses_the_keyboard(self):
        self.local.xdotool("keydown", "shift")
        wait_until(lambda: self.remote.held_keys() == 1, "held key")
        other = self.local.start(["xterm", "-T", "other"])
        self.addCleanup(other.terminate)
        self.local.xdotool("windowfocus", "--sync", self.local.window("other"))
        wait_until(lambda: self.remote.held_keys() == 0, "released key")
        self.local.xdotool("keyup", "shift")

    def test_nothing_stays_held_when_the_window_manager_saw_it_go_up(self):
        self.local.xdotool("keydown", "alt")
        wait_until(lambda: self.remote.held_keys() == 1, "held key")
        self.local.take_keyboard()
        self.local.xdotool("keyup", "alt")
        self.local.give_keyboard_back()
        wait_until(lambda: self.remote.held_keys() == 0, "released key", 3)

    def test_what_is_held_stays_so_while_nothing_happens(self):
        self.local.xdotool("keydown", "shift")
        wait_until(lambda: self.remote.held_keys() == 1, "held key")
        time.sleep(3.5)
        self.assertEqual(self.remote.held_keys(), 1)
        self.local.xdotool("keyup", "shift")
        wait_until(lambda: self.remote.held_keys() == 0, "released key")

    def test_keys_of_the_window_manager_go_to_the_desktop_when_grabbed(self):
        terminal = self.remote.start(["xterm", "-geometry", "30x5+650+50", "-T", "to be closed"])
        self.remote.window("to be closed")
        self.session.click(700, 100)
        self.session.key("ctrl+alt+shift+g", "alt+F4")  # of openbox on both sides
        wait_until(lambda: terminal.poll() is not None, "end of the terminal")
        self.assertIsNone(self.session.viewer.poll())
        self.session.key("ctrl+alt+shift+g")

    def test_control_is_given_and_taken(self):
        self.session.key("ctrl+alt+shift+c")
        self.session.await_title("nobody in control")
        self.session.key("ctrl+alt+shift+c")
        self.session.await_title("x768, in control")


class Screen(unittest.TestCase):
    def setUp(self):
        self.session = self.enterContext(Session(BIN))

    def test_pointing_moves_no_pixels(self):
        """The viewer shows what the server has, to the bit; a pointer that moves costs nothing; a smaller window points as well."""
        session = self.session
        session.click(900, 700)  # beside the editor
        session.await_title("in control")
        session.await_rest()
        session.move(1, 1)
        wait_until(session.is_exact, "exact picture, the notice gone")
        self.assert_pointer_looks_alike()
        before = session.updates()
        for step in range(100):
            session.move(650 + step * 3, 500 + step)
        wait_until(lambda: session.remote.pointer()[:2] == (947, 599), "pointer there")
        time.sleep(1)
        self.assertEqual(session.updates() - before, 0, "pictures")
        self.assert_scaled_window_points()

    def assert_pointer_looks_alike(self):
        """Over the text and beside it the viewer's pointer looks as the server's does there."""
        shapes = []
        for place in ((300, 300), (900, 700)):
            self.session.move(*place)
            wait_until(lambda: self.session.remote.pointer()[:2] == place, "pointer there")
            remote = wait_until(
                lambda: (now := self.session.remote.cursor()) not in shapes and now, "another shape"
            )
            wait_until(lambda: self.session.local.cursor() == remote, "the server's shape at the viewer")
            shapes.append(remote)
        self.session.await_rest()

    def assert_scaled_window_points(self):
        local, window = self.session.local, self.session.window
        local.xdotool("windowsize", "--sync", window, 768, 576)
        wait_until(lambda: local.geometry(window)[2:] == (768, 576), "smaller window")
        time.sleep(0.3)
        left, top, *_ = local.geometry(window)
        for place, pixel in (((300, 150), (400, 200)), ((0, 0), (0, 0)), ((767, 575), (1023, 767))):
            local.xdotool("mousemove", left + place[0], top + place[1])
            wait_until(lambda: self.session.remote.pointer()[:2] == pixel, f"pointer at {pixel}", 3)


class Resize(unittest.TestCase):
    def test_the_screen_gets_the_size_of_the_window(self):
        # The viewer takes control where nobody has it.
        session = self.enterContext(Session(BIN, "--resize", title="in control"))
        for size in ((900, 650), (1000, 700)):
            session.local.xdotool("windowsize", "--sync", session.window, *size)
            wait_until(lambda: session.remote.screen_size() == size, f"screen of {size}")
            session.await_title(f"{size[0]}x{size[1]}")


class Death(unittest.TestCase):
    def test_what_was_held_goes_up(self):
        session = self.enterContext(Session(BIN))
        session.enter_editor()
        self.hold(session)
        session.viewer.send_signal(signal.SIGSTOP)  # its connection stays, and nothing comes from it
        self.assert_clean_within(4, session.remote, "SIGSTOP")
        session.viewer.send_signal(signal.SIGCONT)
        session.local.xdotool("keyup", "shift", "mouseup", 1)
        self.hold(session)
        session.viewer.kill()
        self.assert_clean_within(2, session.remote, "SIGKILL")

    def hold(self, session) -> None:
        """Shift and the left button, from the viewer."""
        session.local.xdotool("keydown", "shift", "mousedown", 1)
        mask = SHIFT_MASK | LEFT_MASK
        remote = session.remote
        wait_until(
            lambda: remote.held_keys() == 1 and remote.pointer()[2] & mask == mask, "held Shift and button"
        )

    def assert_clean_within(self, seconds: float, remote, what: str) -> None:
        begin = time.monotonic()
        wait_until(
            lambda: remote.held_keys() == 0 and remote.pointer()[2] == 0,
            "clean keyboard and pointer",
            seconds,
        )
        print(f"clean {1000 * (time.monotonic() - begin):.0f} ms after {what}")


class ViewOnly(unittest.TestCase):
    def test_nothing_is_sent(self):
        session = self.enterContext(Session(BIN, "--view-only", title="view only"))
        before = session.remote.pointer()
        left, top, *_ = session.remote.geometry(session.editor)
        session.click(left + 18, top + 14)
        session.type("nothing")
        session.key("ctrl+s")
        time.sleep(0.5)
        self.assertEqual(session.remote.pointer(), before)
        self.assert_shows_where_another_one_points(session)

    def assert_shows_where_another_one_points(self, session):
        session.await_rest()
        session.move(1, 1)
        session.remote.xdotool("mousemove", 900, 700)
        difference = ImageChops.difference
        box = wait_until(
            lambda: difference(session.remote.picture(), session.shown()).getbbox(), "pointer in the picture"
        )
        wait_until(
            lambda: (box := difference(session.remote.picture(), session.shown()).getbbox())
            and 880 < box[0] <= 900 < box[2] < 930 and 680 < box[1] <= 700 < box[3] < 730,
            f"pointer where it is, but at {box}",
        )  # fmt: skip
        self.assertEqual(session.file.read_text(), "")


def main() -> None:
    global BIN
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bin", type=Path, default=BIN)
    options, rest = parser.parse_known_args()
    BIN = options.bin.resolve()
    os.environ.setdefault("LATENTDESK_MODEL", str(REPOSITORY / "models/latentdesk-lite.safetensors"))
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
