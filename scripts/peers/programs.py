"""Programs that recordings show: a terminal and an editor, with texts that training has never seen."""

import glob
import random
import shlex
from pathlib import Path

from desktop import Desktop

import texts

SPLIT = "heldout"

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
