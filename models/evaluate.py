#!/usr/bin/python3
"""Measures the exported model on the held-out frames against JPEG and x264 intra, both 4:4:4.

`evaluate.py --table table.md --crops DIR` writes the Markdown tables and pictures to look at. Bits are those
of real zlib streams and files; PSNR is that of 8-bit RGB, from the squared error of all frames of a class.
"""

import argparse
import io
import subprocess
from pathlib import Path
from typing import Callable

import numpy as np
import torch
from PIL import Image

import model_file
from codec import Network, quantise
from crops import FRAMES, load
from rate import packed_bytes

MODEL = Path(__file__).parent / "latentdesk-lite.safetensors"
SCALES = [1.25, 1.6, 2.0, 2.8, 4.0, 5.5]  # from scale_min to scale_max
TARGETS = [30, 33, 36, 40]  # dB at which codecs are compared
LOOKS = [0.3, 0.6, 0.9]  # bits a pixel of the pictures
Coded = tuple[int, np.ndarray]  # bytes, and what comes out
Codec = Callable[[np.ndarray, float], Coded]


def psnr(error: float) -> float:
    return 10 * np.log10(255**2 / max(error, 1e-9))


def squared_error(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.square(a.astype(np.float32) - b).mean())


class Lite:
    def __init__(self, encoder: Network, decoder: Network):
        self.encoder, self.decoder = encoder, decoder

    @torch.no_grad()
    def __call__(self, frame: np.ndarray, scale: float) -> Coded:
        image = torch.from_numpy(frame).permute(2, 0, 1)[None].float() / 255
        q = quantise(self.encoder(image), scale)
        return packed_bytes(q[0]), self.to_pixels(self.decoder(q * scale))[0]

    @torch.no_grad()
    def tiled(self, frame: np.ndarray, scale: float) -> Coded:
        """The same in tiles of 64 pixels, each coded alone as in the stream; the frame is cut to fit."""
        h, w = frame.shape[0] // 64, frame.shape[1] // 64
        tiles = frame[: h * 64, : w * 64].reshape(h, 64, w, 64, 3).swapaxes(1, 2).reshape(-1, 64, 64, 3)
        image = torch.from_numpy(tiles).permute(0, 3, 1, 2).float() / 255
        q = quantise(self.encoder(image), scale)
        planes = q.reshape(h, w, -1, 8, 8).permute(2, 0, 3, 1, 4).reshape(-1, h * 8, w * 8)
        pixels = self.to_pixels(self.decoder(q * scale)).reshape(h, w, 64, 64, 3).swapaxes(1, 2)
        return packed_bytes(planes.contiguous()), pixels.reshape(h * 64, w * 64, 3)

    def to_pixels(self, image: torch.Tensor) -> np.ndarray:
        return (image.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy()


def jpeg(frame: np.ndarray, quality: float) -> Coded:
    file = io.BytesIO()
    Image.fromarray(frame).save(file, "jpeg", quality=int(quality), subsampling=0, optimize=True)
    return file.tell(), np.array(Image.open(file))


def x264(frame: np.ndarray, crf: float) -> Coded:
    h, w, _ = frame.shape
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{w}x{h}"]
    intra = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "1", "-crf", str(crf), "-f", "h264", "-"]
    accurate = ["-sws_flags", "accurate_rnd+full_chroma_int"]
    packed = ffmpeg([*raw, "-i", "-", *accurate, "-pix_fmt", "yuv444p", *intra], frame.tobytes())
    pixels = ffmpeg(["-f", "h264", "-i", "-", *accurate, "-pix_fmt", "rgb24", "-f", "rawvideo", "-"], packed)
    return len(packed), np.frombuffer(pixels, np.uint8).reshape(h, w, 3)


def ffmpeg(arguments: list[str], data: bytes) -> bytes:
    return subprocess.run(
        ["ffmpeg", "-v", "error", *arguments], input=data, capture_output=True, check=True
    ).stdout


def curve(codec: Codec, frames: list[np.ndarray], settings: list[float]) -> list[tuple[float, float]]:
    """(bits a pixel, PSNR) at each setting."""
    points = []
    for setting in settings:
        coded = [codec(frame, setting) for frame in frames]
        error = np.mean(
            [
                squared_error(frame[: out.shape[0], : out.shape[1]], out)
                for frame, (_, out) in zip(frames, coded)
            ]
        )
        points.append(
            (8 * sum(size for size, _ in coded) / sum(out.size / 3 for _, out in coded), psnr(error))
        )
    return points


def rate_at(points: list[tuple[float, float]], target: float) -> str:
    """Bits a pixel at a PSNR, interpolated along log(bits); a dash where the curve does not reach."""
    bits, quality = np.array(sorted(points, key=lambda p: p[1])).T
    if not quality[0] <= target <= quality[-1]:
        return "-"
    return f"{np.exp(np.interp(target, quality, np.log(bits))):.2f}"


def table(rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]) + "\n"


def tables(lite: Lite, frames: dict[str, list[np.ndarray]]) -> str:
    codecs = {
        "JPEG": (jpeg, [5, 10, 25, 50, 75, 90, 97]),
        "x264": (x264, [12, 18, 24, 30, 36, 42, 48]),
        "lite": (lite, SCALES),
        "lite, tiles": (lite.tiled, SCALES),
    }
    curves = {name: {kind: curve(c, frames[kind], s) for kind in frames} for name, (c, s) in codecs.items()}
    compared = [["codec", *frames]]
    for name, by_kind in curves.items():
        compared.append(
            [name, *(" / ".join(rate_at(points, t) for t in TARGETS) for points in by_kind.values())]
        )
    scales = [["scale", *frames, "text and mixed"]]
    for i, scale in enumerate(SCALES):
        cells = [curves["lite"][kind][i] for kind in frames]
        desktop = np.mean([curves["lite"][kind][i][0] for kind in ("text", "mixed")])
        scales.append(
            [f"{scale:g}", *(f"{bits:.2f} / {quality:.1f}" for bits, quality in cells), f"{desktop:.2f}"]
        )
    goals = " / ".join(map(str, TARGETS))
    return f"Bits a pixel at {goals} dB:\n\n{table(compared)}\nBits a pixel / dB by scale:\n\n{table(scales)}"


def scale_for(lite: Lite, frame: np.ndarray, bits: float) -> float:
    low, high = SCALES[0], 2 * SCALES[-1]
    for _ in range(9):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if lite(frame, middle)[0] * 8 > bits * frame.size / 3 else (low, middle)
    return (low * high) ** 0.5


def looks(lite: Lite, frame: np.ndarray, size: int = 240) -> Image.Image:
    """The busiest part of a frame beside what it looks like at LOOKS bits a pixel, twice as large."""
    places = [(y, x) for y in range(60, 720 - size, 60) for x in range(0, 1280 - size, 60)]
    y, x = max(places, key=lambda p: frame[p[0] : p[0] + size, p[1] : p[1] + size].std())
    versions = [frame] + [lite(frame, scale_for(lite, frame, bits))[1] for bits in LOOKS]
    strip = np.concatenate([v[y : y + size, x : x + size] for v in versions], 1)
    return Image.fromarray(strip.repeat(2, 0).repeat(2, 1))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", type=Path, default=MODEL)
    options.add_argument("--table", type=Path, help="write the tables here")
    options.add_argument("--crops", type=Path, help="write pictures into this folder")
    options.add_argument("--frames", type=int, default=6, help="frames a class")
    chosen = options.parse_args()
    encoder, decoder, _ = model_file.read_model(chosen.model)
    lite, frames = Lite(encoder, decoder), load(FRAMES / "heldout")
    frames = {
        kind: all_of[:: max(1, len(all_of) // chosen.frames)][: chosen.frames]
        for kind, all_of in frames.items()
    }
    if chosen.crops:
        chosen.crops.mkdir(parents=True, exist_ok=True)
        for kind, those in frames.items():
            for i, frame in enumerate(those):
                looks(lite, frame).save(chosen.crops / f"{kind}-{i}.png")
    if chosen.table:
        chosen.table.write_text(tables(lite, frames))
        print(chosen.table.read_text())


if __name__ == "__main__":
    main()
