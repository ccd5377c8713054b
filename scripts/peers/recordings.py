"""What is recorded: each scene plays real programs on a desktop and yields once a frame."""

import glob
import random
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator

from desktop import HEIGHT, WIDTH, Desktop, Player
from clips import write_clip

import pages
import texts
from record import wallpapers
from scenes import QUIET

FULL = (WIDTH - 2, HEIGHT - 24)  # of a window within its frame
SPLIT = "heldout"  # what training has never seen
Play = Callable[[Desktop, random.Random], Iterator[None]]


@dataclass
class Recording:
    name: str
    play: Play
    frames: int = 50
    dark: bool = False
    quiet: float = 0.1  # seconds without a change after which a program is taken to have drawn
    extra: bool = False  # recorded with --all only


def photograph(name: str) -> str:
    return next(path for path in wallpapers(SPLIT) if name in path)


# --- terminals ---

# Prints as many lines of file descriptor 3 as it is told to on standard input.
PRINTER = 'while read -r n; do for ((; n > 0; n--)); do IFS= read -r -u 3 l; printf "%s\\n" "$l"; done; done'


def palette() -> list[str]:
    colours = "3b4252 bf616a a3be8c ebcb8b 81a1c1 b48ead 88c0d0 e5e9f0".split()
    return [word for i in range(16) for word in ("-xrm", f"*color{i}: #{colours[i % 8]}")]


class Terminal:
    """An xterm that prints the lines of a text as it is told to."""

    def __init__(self, desktop: Desktop, text: str, options: list[str]):
        lines, orders = desktop.home / "lines", desktop.home / "orders"
        lines.write_text(text)
        orders.touch()
        shell = f"tail -f orders | bash -c {shlex.quote(PRINTER)} 3<lines"
        face = [
            "-fa",
            "Fira Code",
            "-fs",
            "10",
            "-fg",
            "#d8dee9",
            "-bg",
            "#1b2028",
            "-T",
            "terminal",
            *palette(),
        ]
        desktop.start(["xterm", "-u8", *face, *options, "-e", "sh", "-c", f"printf '\\033[?25l'; {shell}"])
        desktop.await_window("terminal")
        self._orders = orders.open("a", buffering=1)

    def print(self, lines: int) -> None:
        self._orders.write(f"{lines}\n")


def log_text(rng: random.Random, lines: int) -> str:
    """Listings and coloured sources in turn, as a session in a terminal shows them."""
    parts: list[str] = []
    while len(parts) < lines:
        parts += [texts.listed_file(SPLIT, rng) for _ in range(rng.randint(8, 30))]
        parts += texts.coloured(texts.source_text(SPLIT, rng, rng.randint(30, 80)), rng).splitlines()
    return "\n".join(parts[:lines]) + "\n"


def terminal(desktop: Desktop, rng: random.Random) -> Iterator[None]:
    shell = Terminal(desktop, log_text(rng, 400), ["-maximized"])
    shell.print(60)
    desktop.settle(2, 0.5)
    while True:
        yield
        shell.print(rng.choice([1, 1, 1, 2, 2, 3, 5]))


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


def wheel(desktop: Desktop, rng: random.Random, x: int, y: int) -> Iterator[None]:
    desktop.xdotool("mousemove", x, y)
    desktop.settle(1, 0.5)
    while True:
        yield
        desktop.xdotool("click", "--repeat", rng.choice([1, 1, 2]), "--delay", 1, 5)


GEANY = """[geany]
editor_font=Fira Code 10
color_scheme={scheme}
sidebar_visible=false
msgwindow_visible=false
pref_toolbar_show=true
statusbar_visible=true
auto_complete_symbols=false
autocomplete_doc_words=false
"""


def start_editor(desktop: Desktop, text: str, scheme: str = "") -> str:
    """The id of its window, which shows a source file with its syntax in colours."""
    folder = desktop.home / "geany"
    folder.mkdir()
    (folder / "geany.conf").write_text(GEANY.format(scheme=scheme))
    (desktop.home / "notes.pm").write_text(text)
    desktop.start(["geany", "--new-instance", "--no-session", "--config", str(folder), "notes.pm"])
    return desktop.await_window("notes.pm")


def perl_text(rng: random.Random, lines: int) -> str:
    """Consecutive code of one module that is long enough."""
    modules = [
        Path(f).read_text(errors="replace").splitlines() for f in sorted(glob.glob(texts.TEXTS[SPLIT][0]))
    ]
    code = rng.choice([m for m in modules if len(m) > lines + 200])
    return "\n".join(code[100 : 100 + lines])


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
    Recording("editor-dark", editor_scroll, 40, dark=True, extra=True),
    Recording("files", files, 40, extra=True),
    Recording("table", web_page("table"), 40, extra=True),
    Recording("drag-terminal", drag_over_terminal, 40, extra=True),
    Recording("video-cuts", video("Bridge", "LadyBird", "cincinnati"), 45, extra=True),
]
