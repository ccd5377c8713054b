"""How well tesseract reads a decoded page: the character error rate against the text that was set."""

import os
import random
import subprocess
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont


# Size, ink and paper. Fonts that no training frame shows.
LOOKS = [
    (15, "#222222", "#ffffff"),
    (16, "#dddddd", "#1e2024"),
    (14, "#000000", "#f4f1ea"),
    (17, "#24292f", "#ffffff"),
]
FONT = "/usr/share/fonts/truetype/noto/NotoSerif-Regular.ttf"


def page(number: int) -> tuple[np.ndarray, str]:
    """A page of prose 960x704, and its text."""

    size, ink, paper = LOOKS[number % len(LOOKS)]
    rng = random.Random(number)
    source = Path("/usr/share/common-licenses/Apache-2.0").read_text().split()
    words = iter(source[rng.randrange(len(source) - 1200) :])
    font, image = ImageFont.truetype(FONT, size), Image.new("RGB", (960, 704), paper)
    draw, lines = ImageDraw.Draw(image), []
    for y in range(24, 680 - size, int(size * 1.7)):
        line = next(words)
        while draw.textlength(line, font) < 840:
            line += " " + next(words)
        draw.text((40, y), line, ink, font)
        lines.append(line)
    return np.array(image), "\n".join(lines)


def read(pixels: np.ndarray) -> str:
    """What tesseract makes of it, at three times the size, which is what it is trained for."""
    image = Image.fromarray(pixels)
    image = image.resize((image.width * 3, image.height * 3), Image.BICUBIC)
    path = Path("/tmp") / f"reading-{np.random.randint(1 << 30)}.png"
    image.save(path)
    try:
        command = ["tesseract", str(path), "-", "--psm", "6"]
        one_thread = os.environ | {"OMP_THREAD_LIMIT": "1"}
        return subprocess.run(command, env=one_thread, capture_output=True, text=True, check=True).stdout
    finally:
        path.unlink()


def error_rate(read_text: str, text: str) -> float:
    """Edits over characters: insertions, deletions and replacements, line breaks as spaces."""
    a, b = " ".join(read_text.split()), " ".join(text.split())
    row = np.arange(len(b) + 1)
    target = np.frombuffer(b.encode("utf-32-le"), np.uint32)
    for i, character in enumerate(a, 1):
        above = np.minimum(row[:-1] + (target != ord(character)), row[1:] + 1)
        new = np.concatenate([[i], above])
        # Insertions run along the row: new[j] = min over k of new[k] + j - k.
        row = np.minimum.accumulate(new - np.arange(len(new))) + np.arange(len(new))
    return row[-1] / len(b)
