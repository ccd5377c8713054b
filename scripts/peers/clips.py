"""Video clips from photographs: a camera that pans, zooms and shakes a little, encoded as films are."""

import math
import random
import subprocess
from pathlib import Path

from PIL import Image

SIZE = (854, 480)
FPS = 15


def shot(picture: Image.Image, frames: int, rng: random.Random) -> list[Image.Image]:
    """`frames` views of a photograph, cut at fractions of a pixel."""
    widths = [picture.width * rng.uniform(0.45, 0.6), picture.width * rng.uniform(0.6, 0.75)]
    rng.shuffle(widths)
    low, high = rng.uniform(0.0, 0.3), rng.uniform(0.7, 1.0)
    begin, end = (low, high) if rng.random() < 0.5 else (high, low)
    phase, views = rng.uniform(0, 6), []
    for i in range(frames):
        t = i / max(1, frames - 1)
        width = widths[0] + (widths[1] - widths[0]) * t
        height = width * SIZE[1] / SIZE[0]
        across = begin + (end - begin) * t + 0.004 * math.sin(i * 0.9 + phase)
        down = 0.5 + 0.1 * math.sin(t * 2 + phase) + 0.004 * math.sin(i * 1.3)
        x, y = across * (picture.width - width), down * (picture.height - height)
        views.append(picture.resize(SIZE, Image.Resampling.BICUBIC, box=(x, y, x + width, y + height)))
    return views


def write_clip(path: Path, photographs: list[str], frames: int, rng: random.Random) -> None:
    """H.264 at the rate of good streaming video, one shot for each photograph."""
    options = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{SIZE[0]}x{SIZE[1]}", "-r", str(FPS), "-i", "-"]
    encoder = ["-c:v", "libx264", "-preset", "medium", "-crf", "20", "-pix_fmt", "yuv420p", "-threads", "1"]
    command = ["ffmpeg", "-v", "error", "-y", *options, *encoder, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as encode:
        for photograph in photographs:
            picture = Image.open(photograph).convert("RGB")
            picture.thumbnail((2600, 2600), Image.Resampling.LANCZOS)
            for view in shot(picture, frames // len(photographs), rng):
                encode.stdin.write(view.tobytes())
    if encode.returncode:
        raise RuntimeError("ffmpeg could not write the clip")
