"""What is recorded: each scene starts programs on a screen; its frames belong to one class and one split."""

import random
import time
from dataclasses import dataclass
from typing import Callable

import more
import pages
import texts
from screen import Screen

CLASSES = ("text", "mixed", "photo", "render")
MONO = {
    "train": ["DejaVu Sans Mono", "Hack", "Liberation Mono", "Nimbus Mono PS"],
    "heldout": ["Fira Code", "Noto Sans Mono"],
}
BITMAP = {"train": ["6x13", "7x13", "9x15", "8x13"], "heldout": ["10x20", "6x10"]}
THEMES = [
    ("#d8d8d8", "#101418"),
    ("#eeeeec", "#300a24"),
    ("#222222", "#fdf6e3"),
    ("#000000", "#ffffff"),
    ("#a9b7c6", "#2b2b2b"),
]
HACKS = {
    "train": "atlantis bouncingcow gears pipes sproingies glplanet molecule morph3d polyhedra cubestorm "
    "endgame flyingtoasters boxed energystream gleidescope stonerview surfaces voronoi menger lament "
    "hydrostat dymaxionmap",
    "heldout": "antspotlight dangerball juggler3d topblock",
}
GLMARK = {
    "train": ["bump", "effect2d", "texture"],
    "heldout": ["shading:shading=phong", "jellyfish", "ideas", "shadow", "refract"],
}
QUIET = """
--no-sandbox --test-type --disable-gpu --disable-quic --disable-sync --disable-background-networking
--disable-component-update --no-first-run --window-size=1280,720 --window-position=0,0
""".split()


@dataclass
class Scene:
    name: str
    kind: str  # one of CLASSES
    split: str  # "train" or "heldout"
    play: Callable[[Screen, random.Random], None]
    settle: float = 3
    frames: int = 1
    between: tuple[str, ...] = ()  # run before each further frame


def terminal(screen: Screen, rng: random.Random, split: str, place: list[str]) -> None:
    ink, paper = rng.choice(THEMES)
    text = screen.home / f"text{rng.randrange(10**9)}"
    text.write_text(texts.terminal_text(split, rng))
    face = ["-fa", rng.choice(MONO[split]), "-fs", str(rng.choice([8, 9, 10, 11, 12, 14]))]
    font = ["-fn", rng.choice(BITMAP[split])] if rng.random() < 0.3 else face
    shell = f"cat {text}; sleep 100"
    screen.start(["xterm", "-u8", *font, "-fg", ink, "-bg", paper, *place, "-e", "sh", "-c", shell])


def terminals(split: str, count: int, wallpaper: str = "") -> Callable:
    def play(screen: Screen, rng: random.Random) -> None:
        ground = (
            ["feh", "--bg-fill", wallpaper]
            if wallpaper
            else ["xsetroot", "-solid", rng.choice(["#335", "#456", "#222"])]
        )
        screen.run(ground)
        for _ in range(count):
            window = f"{rng.randint(50, 90)}x{rng.randint(14, 30)}+{rng.randrange(620)}+{rng.randrange(360)}"
            terminal(screen, rng, split, ["-maximized"] if count == 1 else ["-geometry", window])

    return play


def browser(kind, split: str, dark: bool, photos: list[str]) -> Callable:
    def play(screen: Screen, rng: random.Random) -> None:
        page = screen.home / "page.html"
        page.write_text(pages.page(kind, pages.Writer(split, rng, dark, photos)))
        address = [f"file://{page}"] if rng.random() < 0.6 else [f"--app=file://{page}"]
        dark_mode = ["--force-dark-mode"] if dark else []
        screen.start(["chromium", *QUIET, f"--user-data-dir={screen.home}/profile", *dark_mode, *address])

    return play


def program(*command: str, maximised: bool = True) -> Callable:
    def play(screen: Screen, rng: random.Random) -> None:
        screen.start(list(command))
        if maximised:
            time.sleep(2)
            screen.run(
                [
                    "xdotool",
                    "search",
                    "--onlyvisible",
                    "--name",
                    ".",
                    "windowsize",
                    "1280",
                    "720",
                    "windowmove",
                    "0",
                    "0",
                ]
            )

    return play


def editor(name: str, split: str) -> Callable:
    return lambda screen, rng: program(name, *{texts.source_file(split, rng) for _ in range(3)})(screen, rng)


def hack(name: str) -> Callable:
    return program(f"/usr/libexec/xscreensaver/{name}", "-root", maximised=False)


PLOTS = [
    "set pm3d; set isosamples 60; splot sin(x)*cos(y) with pm3d",
    "set grid; set key box; plot [-10:10] sin(x) lw 2, cos(x)*x/5 lw 2, besj0(x) lw 3",
    "set style fill solid; plot '+' using 1:(rand(0)*10) every 3 with boxes, x with lines lw 4",
    "set view map; set samples 80; set isosamples 80; set palette rgb 33,13,10; "
    "splot [-3:3][-3:3] exp(-x*x-y*y)*x with pm3d",
]


def plot(commands: str) -> Callable:
    return lambda screen, rng: (
        screen.run(["gnuplot", "-e", f"set term pngcairo size 1280,720; set output 'p.png'; {commands}"]),
        screen.start(["feh", "-x", "-g", "1280x720+0+0", "p.png"]),
    )


def all_scenes(photos: dict[str, list[str]]) -> list[Scene]:
    """`photos`: the wallpapers of each split."""
    scenes, scroll = [], ("xdotool", "mousemove", "700", "400", "click", "--repeat", "6", "5")
    add = lambda *a, **k: scenes.append(Scene(*a, **k))
    for split, single, desks in (("train", 20, 14), ("heldout", 6, 4)):
        for _ in range(single):
            add("terminal", "text", split, terminals(split, 1))
        for i in range(desks):
            add(
                "desk",
                "mixed" if i % 2 else "text",
                split,
                terminals(split, 4, photos[split][i] if i % 2 else ""),
            )
    web = {
        "train": [
            pages.article,
            pages.table,
            pages.dashboard,
            pages.gallery,
            pages.photo_page,
            pages.article,
            pages.dashboard,
            pages.code,
        ],
        "heldout": [pages.code, pages.mail, pages.photo_page, pages.mail],
    }
    for split, times in (("train", 3), ("heldout", 1)):
        for i, kind in enumerate(web[split] * times):
            pictured = (
                kind in (pages.photo_page, pages.dashboard, pages.gallery)
                or split == "train"
                and kind is pages.article
            )
            play = browser(kind, split, i % 3 == 1, photos[split])
            add(
                kind.__name__,
                "mixed" if pictured else "text",
                split,
                play,
                settle=6,
                frames=2,
                between=scroll,
            )
    for _ in range(4):
        add("geany", "text", "train", editor("geany", "train"), settle=3)
    for _ in range(2):
        add("mousepad", "text", "heldout", editor("mousepad", "heldout"), settle=3)
    for folder in (
        "/usr/share/icons/Papirus/64x64/apps",
        "/usr/share/icons/Papirus/48x48/mimetypes",
        "/usr/share",
    ):
        add("pcmanfm", "mixed", "train", program("pcmanfm", folder), settle=4)
    for commands in PLOTS:
        add("gnuplot", "mixed", "train", plot(commands))
    for split in HACKS:
        for name in HACKS[split].split():
            add(name, "render", split, hack(name), settle=5, frames=2, between=("sleep", "2"))
        for name in GLMARK[split]:
            play = program(
                "glmark2",
                "-s",
                "1280x720",
                "-b",
                f"{name}:duration=60" if ":" not in name else name,
                maximised=False,
            )
            add("glmark2-" + name.split(":")[0], "render", split, play, settle=5)
    more.scenes(add, photos, hack, QUIET)
    return scenes
