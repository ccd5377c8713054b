"""Texts for the recordings, drawn by a seeded generator from files of Debian packages and from Unicode."""

import glob
import html
import random
from pathlib import Path

# Split by source: what the held-out frames show never appears in training.
TEXTS = {
    "train": ["/usr/lib/python3.11/[a-m]*.py", "/usr/include/linux/*.h", "/usr/share/common-licenses/*GPL*"],
    "heldout": ["/usr/share/perl/5.36*/*.pm", "/usr/include/c++/12/*", "/usr/share/common-licenses/Apache*"],
}
SCRIPTS = [
    (0x4E00, 0x5FFF),
    (0x3041, 0x30FF),
    (0xAC00, 0xBFFF),
    (0x0430, 0x044F),
    (0x03B1, 0x03C9),
    (0x00E0, 0x00FF),
    (0x0621, 0x064A),
    (0x05D0, 0x05EA),
    (0x0100, 0x017F),
]


def source_file(split: str, rng: random.Random) -> str:
    found = [Path(f) for f in sorted(glob.glob(rng.choice(TEXTS[split])))]
    return str(rng.choice([f for f in found if f.is_file() and f.stat().st_size > 4000]))


def source_text(split: str, rng: random.Random, lines: int) -> str:
    text = Path(source_file(split, rng)).read_text(errors="replace").splitlines()
    first = rng.randrange(max(1, len(text) - lines))
    return "\n".join(text[first : first + lines])


def foreign(rng: random.Random, words: int) -> str:
    low, high = rng.choice(SCRIPTS)
    lengths = (rng.randint(2, 7) for _ in range(words))
    return " ".join("".join(chr(rng.randint(low, high)) for _ in range(n)) for n in lengths)


def prose(split: str, rng: random.Random, words: int) -> str:
    if rng.random() < 0.2:
        return foreign(rng, words // 2)
    found = " ".join(source_text(split, rng, 200).replace("#", " ").split()).split(" ")
    return html.escape(" ".join(found[:words]))


def coloured(text: str, rng: random.Random) -> str:
    """Terminal colours as a highlighter would set them: by word, steady for the same word."""
    palette = [rng.choice([31, 32, 33, 34, 35, 36, 91, 92, 93, 94, 95, 96]) for _ in range(7)]

    def tint(word: str) -> str:
        return word if len(word) % 3 == 0 else f"\033[{palette[sum(map(ord, word)) % 7]}m{word}\033[0m"

    return "\n".join(" ".join(map(tint, line.split(" "))) for line in text.splitlines())


def listed_file(split: str, rng: random.Random) -> str:
    size, day = rng.randint(100, 10_000_000), rng.randint(1, 30)
    name = "_".join(prose(split, rng, 3).split()[:2])[:30]
    return f"-rw-r--r-- 1 root root {size:>9} Nov {day:2} 10:12 \033[34m{name}\033[0m"


def terminal_text(split: str, rng: random.Random) -> str:
    kind = rng.choice([0, 1, 2, 2, 2, 3, 3])
    if kind == 0:
        return "\n".join(foreign(rng, 14) for _ in range(70))
    if kind == 1:
        return "\n".join(listed_file(split, rng) for _ in range(40))
    text = source_text(split, rng, 90)
    return coloured(text, rng) if kind == 2 else text


def listing(split: str, rng: random.Random) -> str:
    """Names in the colours of `ls`, whole fields on coloured ground among them."""
    styles = ["01;34", "01;32", "01;36", "30;42", "37;41", "01;31", "01;35", "00", "00", "00"]
    names = [w[:24] for w in prose(split, rng, 700).split() if len(w) > 3]
    cells = (f"\033[{rng.choice(styles)}m{name}\033[0m{' ' * (26 - len(name))}" for name in names)
    return "".join(cell + ("\n" if i % 4 == 3 else "") for i, cell in enumerate(cells))


def boxes(split: str, rng: random.Random) -> str:
    """A full-screen program: frames of line-drawing characters, bars and selected rows."""
    lines = []
    for row in range(44):
        words, colour = prose(split, rng, 5)[:34].replace("\n", " "), rng.choice([40, 44, 46, 100, 47, 42])
        bar = "█" * rng.randint(1, 20) + "░" * rng.randint(0, 9)
        ground = f"\033[30;{colour}m" if rng.random() < 0.15 else f"\033[{rng.randint(31, 37)}m"
        lines.append(
            f"│{ground}{words:<36}\033[0m│\033[{rng.randint(91, 96)}m{bar:<30}\033[0m│{rng.random():.4f}"
        )
    edge = "─" * 36
    return "\n".join([f"┌{edge}┬{edge[:30]}┐", *lines, f"└{edge}┴{edge[:30]}┘"])


def log(split: str, rng: random.Random) -> str:
    levels = [("INFO", 32), ("DEBUG", 90), ("WARN", 33), ("ERROR", 31), ("INFO", 36)]
    lines = []
    for second in range(60):
        level, colour = rng.choice(levels)
        what = prose(split, rng, 9)[:90].replace("\n", " ")
        lines.append(
            f"\033[90m12:04:{second:02}.{rng.randrange(999):03}\033[0m \033[{colour}m{level:5}\033[0m {what}"
        )
    return "\n".join(lines)
