"""Further scenes: other terminals with palettes of their own, editors, HiDPI pages, plots and 3D scenes."""

import random
from pathlib import Path
from typing import Callable

import pages
import texts
from screen import Screen

# 16 colours each; "" keeps the program's own, whose saturated colours on black are the hardest text there is.
PALETTES = {
    "solarized": "073642 dc322f 859900 b58900 268bd2 d33682 2aa198 eee8d5 "
    "002b36 cb4b16 586e75 657b83 839496 6c71c4 93a1a1 fdf6e3",
    "tango": "2e3436 cc0000 4e9a06 c4a000 3465a4 75507b 06989a d3d7cf "
    "555753 ef2929 8ae234 fce94f 729fcf ad7fa8 34e2e2 eeeeec",
    "gruvbox": "282828 cc241d 98971a d79921 458588 b16286 689d6a a89984 "
    "928374 fb4934 b8bb26 fabd2f 83a598 d3869b 8ec07c ebdbb2",
    "own": "",
}
GROUNDS = [
    ("#ffffff", "#000000"),
    ("#e5e5e5", "#000000"),
    ("#000000", "#ffffff"),
    ("#839496", "#002b36"),
    ("#ebdbb2", "#282828"),
    ("#d3d7cf", "#2e3436"),
    ("#586e75", "#fdf6e3"),
    ("#00ff00", "#000000"),
]
FACES = {
    "train": ["DejaVu Sans Mono", "Hack", "Inconsolata", "Liberation Mono", "Noto Sans Mono CJK JP"],
    "heldout": ["JetBrains Mono", "Fira Code"],
}
MORE_HACKS = {
    "train": "geodesic hypertorus kaleidocycle klein mirrorblob moebiusgears nakagin pinion polytopes "
    "romanboy rubikblocks sballs skytentacles spheremonics splodesic superquadrics tangram timetunnel "
    "unknownpleasures cityflow discoball hilbert",
    "heldout": "glknots cubenetic",
}
VIM_COLOURS = ["desert", "elflord", "murphy", "slate", "peachpuff", "evening", "torte", "default"]
MATPLOTLIB = """
import matplotlib; matplotlib.use("Agg"); import matplotlib.pyplot as p, numpy as n
r = n.random.default_rng({seed}); p.style.use("{style}"); f, a = p.subplots(2, 3, figsize=(12.8, 7.2), dpi=100)
x = n.linspace(0, 9, 300); a = a.ravel(); m = r.normal(size=(40, 60)).cumsum(0).cumsum(1)
for i in range(5): a[0].plot(x, n.sin(x + i) * i, label=f"run {{i}}")
a[0].legend(); a[1].scatter(*r.normal(size=(2, 600)), c=r.random(600), s=12); a[2].imshow(m, cmap="{map}")
a[3].hist(r.normal(size=(900, 3)), 25); a[4].contourf(m, 14, cmap="{map}"); a[5].bar(range(12), r.random(12))
for k in a: k.set_title("series %d" % r.integers(999)); k.grid(True, alpha=.3)
p.tight_layout(); p.savefig("p.png")
"""


def resources(program: str, palette: str) -> list[str]:
    colours = PALETTES[palette].split()
    return [part for i, c in enumerate(colours) for part in ("-xrm", f"{program}*color{i}: #{c}")]


def terminal_command(rng: random.Random, split: str, shell: str) -> list[str]:
    ink, paper = rng.choice(GROUNDS)
    palette, face = rng.choice([*PALETTES, "own"]), rng.choice(FACES[split])
    size = rng.choice([7, 9, 10, 10, 11, 12, 13, 15, 18, 24])
    run = ["-e", "sh", "-c", shell]
    if split == "train" and rng.random() < 0.4:
        font = f"xft:{face}:size={size}"
        return ["urxvt", "+sb", "-fn", font, "-fg", ink, "-bg", paper, *resources("URxvt", palette), *run]
    if split == "heldout" and rng.random() < 0.5:
        return ["stterm", "-f", f"{face}:size={size}", *run]
    font = ["-fa", face, "-fs", str(size)]
    return ["xterm", "-u8", *font, "-fg", ink, "-bg", paper, *resources("XTerm", palette), *run]


def shell_text(screen: Screen, rng: random.Random, split: str) -> str:
    text = screen.home / f"text{rng.randrange(10**9)}"
    kinds = [texts.terminal_text, texts.listing, texts.boxes, texts.log]
    text.write_text(rng.choice(kinds)(split, rng))
    return f"cat {text}; sleep 100"


def terminal(split: str) -> Callable:
    def play(screen: Screen, rng: random.Random) -> None:
        for _ in range(rng.choice([1, 2, 3])):
            screen.start(terminal_command(rng, split, shell_text(screen, rng, split)))
        screen.settle_windows(rng)

    return play


def vim(screen: Screen, rng: random.Random) -> None:
    file, colours = texts.source_file("train", rng), rng.choice(VIM_COLOURS)
    look = f"set number background=dark t_Co=256 | colorscheme {colours} | syntax on | {rng.randint(1, 200)}"
    shell = f"vim -u NONE -N -R -c '{look}' {file}"
    screen.start(terminal_command(rng, "train", shell))
    screen.settle_windows(rng)


def editor(name: str) -> Callable:
    def play(screen: Screen, rng: random.Random) -> None:
        screen.start([name, texts.source_file("train", rng)])
        screen.settle_windows(rng)

    return play


def browser(
    kind: Callable, split: str, dark: bool, photos: list[str], zoom: float, quiet: list[str]
) -> Callable:
    def play(screen: Screen, rng: random.Random) -> None:
        page = screen.home / "page.html"
        page.write_text(pages.page(kind, pages.Writer(split, rng, dark, photos)))
        scale = [f"--force-device-scale-factor={zoom}"]
        profile = f"--user-data-dir={screen.home}/profile"
        screen.start(["chromium", *quiet, *scale, profile, f"--app=file://{page}"])

    return play


def plot(style: str, colours: str) -> Callable:
    def play(screen: Screen, rng: random.Random) -> None:
        script = MATPLOTLIB.format(seed=rng.randrange(999), style=style, map=colours)
        screen.run(["/usr/bin/python3", "-c", script])
        screen.start(["feh", "-x", "-g", "1280x720+0+0", "p.png"])

    return play


def scenes(add: Callable, photos: dict[str, list[str]], hack: Callable, quiet: list[str]) -> None:
    """Calls `add(name, kind, split, play, ...)` for each; `photos`: the wallpapers of each split."""
    scroll = ("xdotool", "mousemove", "700", "400", "click", "--repeat", "6", "5")
    for split, count in (("train", 34), ("heldout", 5)):
        for _ in range(count):
            add("shell", "text", split, terminal(split))
    for _ in range(8):
        add("vim", "text", "train", vim)
    for name in ("scite", "featherpad", "featherpad"):
        add(name, "text", "train", editor(name))
    kinds = [pages.code, pages.article, pages.table, pages.form, pages.gradients, pages.drawing, pages.chat]
    for i, kind in enumerate(kinds * 2):
        mixed = kind in (pages.gradients, pages.drawing, pages.article)
        play = browser(kind, "train", i % 2 == 1, photos["train"], [1, 1.5, 1.25, 2][i % 4], quiet)
        add(kind.__name__, "mixed" if mixed else "text", "train", play, settle=6, frames=2, between=scroll)
    heldout = browser(pages.dashboard, "heldout", True, photos["heldout"], 1, quiet)
    add("dashboard", "mixed", "heldout", heldout, settle=6)
    for style, colours in (("default", "viridis"), ("dark_background", "inferno"), ("ggplot", "coolwarm")):
        add("matplotlib", "mixed", "train", plot(style, colours), settle=2)
    for split, names in MORE_HACKS.items():
        for name in names.split():
            add(name, "render", split, hack(name), settle=5)
