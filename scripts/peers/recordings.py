"""What is recorded: each scene plays real programs on a desktop and yields once a frame."""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator

from desktop import HEIGHT, WIDTH, Desktop, Player
from clips import write_clip
from programs import SPLIT, Terminal, log_text, perl_text, start_editor

import pages
from record import wallpapers
from scenes import QUIET

FULL = (WIDTH - 2, HEIGHT - 24)  # of a window within its frame
Play = Callable[[Desktop, random.Random], Iterator[None]]


@dataclass
class Recording:
    name: str
    play: Play
    frames: int = 50
    dark: bool = False
    subpixel: bool = False  # text smoothed by the colours of a pixel
    quiet: float = 0.1  # seconds without a change after which a program is taken to have drawn


def photograph(name: str) -> str:
    return next(path for path in wallpapers(SPLIT) if name in path)


# --- terminals ---


def full_terminal(desktop: Desktop, text: str) -> Terminal:
    shell = Terminal(desktop, text, ["-maximized"])
    shell.print(60)
    desktop.settle(2, 0.5)
    return shell


def terminal(desktop: Desktop, rng: random.Random) -> Iterator[None]:
    shell = full_terminal(desktop, log_text(rng, 400))
    while True:
        yield
        shell.print(rng.choice([1, 1, 1, 2, 2, 3, 5]))


def listing(desktop: Desktop, rng: random.Random) -> Iterator[None]:
    """Output that is faster than the eye: most of the screen is new in every frame."""
    shell = full_terminal(desktop, log_text(rng, 4000))
    while True:
        yield
        shell.print(rng.randint(20, 90))


# --- pages and programs that scroll ---

# The n-th press of a key scrolls by the n-th step, so that a frame shows exactly one.
SCROLLER = "<script>const s=%s;let n=0;onkeydown=e=>{e.preventDefault();scrollBy(0,s[n++]||0)}</script>"


def wheel_steps(rng: random.Random, count: int) -> list[int]:
    """Pixels for each frame: turns of a wheel of 53 pixels a notch, each eased out over some frames."""
    steps, left = [], 0.0
    for _ in range(count):
        if rng.random() < 0.35:
            left += 53 * rng.randint(1, 3)
        step = round(left * 0.45)
        steps.append(step)
        left -= step
    return steps


def web_page(body: str) -> Play:
    """`body`: the name of a kind of page in pages.py."""

    def play(desktop: Desktop, rng: random.Random) -> Iterator[None]:
        page = desktop.home / "page.html"
        writer = pages.Writer(
            SPLIT, rng, desktop.environment["GTK_THEME"].endswith("dark"), wallpapers(SPLIT)
        )
        steps = SCROLLER % [s or 1 for s in wheel_steps(rng, 200)]
        long = lambda w: "".join(getattr(pages, body)(w) for _ in range(3))
        page.write_text(pages.page(long, writer) + "<title>page</title>" + steps)
        profile = f"--user-data-dir={desktop.home}/profile"
        desktop.start(["chromium", *QUIET, "--hide-scrollbars", profile, f"file://{page}"])
        desktop.await_window("page")
        desktop.settle(5, 2)
        while True:
            yield
            desktop.xdotool("key", "F8")

    return play


CAPTION = """<style>body{margin:0;background:url(file://%s) center/cover fixed}p{margin:0 20%%;padding:14px 0;
font:22px/1.5 "Open Sans";color:#fff;text-shadow:0 1px 3px #000}</style>"""


def text_over_photograph(desktop: Desktop, rng: random.Random) -> Iterator[None]:
    """Text that scrolls while the photograph behind it stays."""
    writer = pages.Writer(SPLIT, rng, False, wallpapers(SPLIT))
    text = "".join(f"<p>{writer.prose(rng.randint(20, 60))}</p>" for _ in range(40))
    steps = SCROLLER % [s or 1 for s in wheel_steps(rng, 200)]
    page = desktop.home / "page.html"
    page.write_text(CAPTION % photograph("Bridge") + text + "<title>page</title>" + steps)
    profile = f"--user-data-dir={desktop.home}/profile"
    desktop.start(["chromium", *QUIET, "--hide-scrollbars", profile, f"file://{page}"])
    desktop.await_window("page")
    desktop.settle(5, 2)
    while True:
        yield
        desktop.xdotool("key", "F8")


def wheel(desktop: Desktop, rng: random.Random, x: int, y: int) -> Iterator[None]:
    desktop.xdotool("mousemove", x, y)
    desktop.settle(1, 0.5)
    while True:
        yield
        desktop.xdotool("click", "--repeat", rng.choice([1, 1, 2]), "--delay", 1, 5)


def editor_scroll(desktop: Desktop, rng: random.Random) -> Iterator[None]:
    window = start_editor(desktop, perl_text(rng, 400), "alt.conf")
    desktop.place(window, 0, 0, *FULL)
    yield from wheel(desktop, rng, 600, 400)


def files(desktop: Desktop, rng: random.Random) -> Iterator[None]:
    desktop.start(["pcmanfm", "/usr/share/icons/Papirus/48x48/places"])
    desktop.place(desktop.await_window("places"), 0, 0, *FULL)
    desktop.settle(3, 2)
    yield from wheel(desktop, rng, 800, 400)


# --- typing ---


def typing(desktop: Desktop, rng: random.Random) -> Iterator[None]:
    """A person types into the middle of a source file: two characters in three frames, new lines among them."""
    window = start_editor(desktop, perl_text(rng, 80))
    desktop.place(window, 0, 0, *FULL)
    desktop.xdotool("key", "--repeat", 12, "--delay", 5, "Down")
    desktop.settle(1, 0.5)
    typed = iter("my $total = 0;\nforeach my $row (@rows) {\n    $total += $row;\n}\nreturn $total;\n" * 2)
    keys = {" ": "space", "\n": "Return", "$": "dollar", "(": "parenleft", ")": "parenright", "@": "at"}
    keys |= {"=": "equal", ";": "semicolon", "{": "braceleft", "}": "braceright", "+": "plus"}
    while True:
        yield
        if rng.random() < 0.67:
            character = next(typed)
            desktop.xdotool("key", keys.get(character, character))


# --- windows and menus that come and go ---


def menus(desktop: Desktop, rng: random.Random) -> Iterator[None]:
    """A person looks through the menus of an editor, opens one after the other, and closes it."""
    desktop.wallpaper(photograph("picosdeeuropa"))
    window = start_editor(desktop, perl_text(rng, 80))
    desktop.place(window, 140, 60, 900, 560)
    desktop.settle(1, 0.5)
    while True:
        for key in (
            "alt+f",
            *rng.choices(["Right", "Down", "Down", "Left"], k=rng.randint(4, 9)),
            "Escape",
            "Escape",
        ):
            yield
            desktop.xdotool("key", key)


def windows(desktop: Desktop, rng: random.Random) -> Iterator[None]:
    """Windows over a photograph are raised, minimised and restored."""
    desktop.wallpaper(photograph("picosdeeuropa"))
    Terminal(desktop, log_text(rng, 60), ["-geometry", "90x32+40+40"]).print(40)
    editor = start_editor(desktop, perl_text(rng, 80))
    desktop.place(editor, 380, 150, 800, 500)
    terminal = desktop.await_window("terminal")
    desktop.settle(1, 0.5)
    while True:
        for action, window in (
            ("windowactivate", terminal),
            ("windowactivate", editor),
            ("windowminimize", editor),
        ):
            yield
            desktop.xdotool(action, window)
            yield
        desktop.xdotool("windowactivate", editor)


# --- windows that are dragged ---


def drag_path(rng: random.Random, x: float, y: float) -> Iterator[tuple[int, int]]:
    """From place to place as a hand goes: slow, fast, slow."""
    yield round(x), round(y)
    while True:
        to_x, to_y, frames = rng.uniform(150, 900), rng.uniform(30, 330), rng.randint(9, 18)
        for i in range(1, frames + 1):
            eased = (lambda t: t * t * (3 - 2 * t))(i / frames)
            yield round(x + (to_x - x) * eased), round(y + (to_y - y) * eased)
        x, y = to_x, to_y


def drag(desktop: Desktop, rng: random.Random, window: str) -> Iterator[None]:
    """The pointer holds the title bar; openbox moves the window with it."""
    desktop.place(window, 180, 90, 560, 360)
    desktop.settle(1, 0.5)
    path = drag_path(rng, 420, 101)
    desktop.xdotool("mousemove", *next(path))
    desktop.xdotool("mousedown", 1)
    desktop.settle(0.5, 0.3)
    for place in path:
        yield
        desktop.xdotool("mousemove", *place)


def drag_over_photograph(desktop: Desktop, rng: random.Random) -> Iterator[None]:
    desktop.wallpaper(photograph("picosdeeuropa"))
    yield from drag(desktop, rng, start_editor(desktop, perl_text(rng, 60)))


def drag_over_terminal(desktop: Desktop, rng: random.Random) -> Iterator[None]:
    Terminal(desktop, log_text(rng, 60), ["-maximized"]).print(60)
    yield from drag(desktop, rng, start_editor(desktop, perl_text(rng, 60)))


# --- video ---


def video(*names: str) -> Play:
    """A clip of 854x480 from photographs, in a window over a desktop with a terminal."""

    def play(desktop: Desktop, rng: random.Random) -> Iterator[None]:
        clip = desktop.home / "clip.mp4"
        write_clip(clip, [photograph(name) for name in names], 60, rng)
        desktop.run(["xsetroot", "-solid", "#305070"])
        Terminal(desktop, log_text(rng, 60), ["-geometry", "70x30+10+30"]).print(40)
        player = Player(desktop, clip, "854x480+380+190")
        desktop.settle(2, 1)
        while True:
            yield
            player.step()

    return play


# --- 3D ---

MODEL = "/usr/share/glmark2/models/bunny.obj"


def orbit(
    desktop: Desktop, rng: random.Random, button: int, x: float, y: float, speed: float
) -> Iterator[None]:
    """Turns the view by dragging: around at a varying speed, and a little up and down."""
    desktop.xdotool("mousemove", round(x), round(y))
    desktop.settle(1, 0.5)
    desktop.xdotool("mousedown", button)
    while True:
        yield
        speed = min(14.0, max(3.0, speed + rng.uniform(-2, 2)))
        x, y = x + speed, y + rng.uniform(-1.5, 2)
        desktop.xdotool("mousemove", round(x), round(y))


def viewport(desktop: Desktop, rng: random.Random) -> Iterator[None]:
    script = Path(__file__).with_name("blender_scene.py")
    options = ["--factory-startup", "--no-window-focus", "-p", "0", "0", str(WIDTH), str(HEIGHT)]
    desktop.start(["blender", *options, "--python", str(script)])
    desktop.place(desktop.await_window("Blender"), 0, 0, *FULL)
    desktop.await_content()
    yield from orbit(desktop, rng, 2, 300, 300, 6)


def model(desktop: Desktop, rng: random.Random) -> Iterator[None]:
    look = "--geometry-only --color=0.8,0.5,0.3 --roughness=0.35 --bg-color=0.2,0.22,0.26 --grid".split()
    camera = "--camera-azimuth-angle=20 --camera-view-angle=23".split()
    desktop.start(["f3d", "--dry-run", *look, *camera, MODEL])
    desktop.place(desktop.await_window("f3d|F3D"), 0, 0, *FULL)
    desktop.await_content()
    yield from orbit(desktop, rng, 1, 300, 300, 6)


RECORDINGS = [
    Recording("terminal", terminal, 60, dark=True),
    Recording("web", web_page("article")),
    Recording("drag", drag_over_photograph),
    Recording("typing", typing, 60),
    Recording("video", video("Garden")),
    Recording("viewport", viewport, 40, quiet=0.4),
    Recording("model", model, 40, quiet=0.3),
    Recording("editor-dark", editor_scroll, 40, dark=True),
    Recording("files", files, 40),
    Recording("table", web_page("table"), 40),
    Recording("drag-terminal", drag_over_terminal, 40),
    Recording("listing", listing, 40, dark=True),
    Recording("web-subpixel", web_page("article"), 40, subpixel=True),
    Recording("caption", text_over_photograph, 40),
    Recording("menus", menus, 40),
    Recording("windows", windows, 40),
    Recording("video-cuts", video("Bridge", "LadyBird", "cincinnati"), 45),
]
