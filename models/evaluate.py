#!/usr/bin/python3
"""Measures the exported model on the held-out frames: tables, plots and pictures for docs/models.md.

`evaluate.py --out DIR` writes curves.md, int8.md, tiles.md, reading.md, borders.md, rate-CLASS.png and
looks-CLASS.png; `--only curves,reading` writes some of them. Bits are those of real streams and
files; PSNR and SSIM are of 8-bit RGB and its brightness. A class's PSNR is that of the squared error of all of
its frames together.
"""

import argparse
import bisect
import json
from pathlib import Path
from typing import Callable, Sequence

import numpy as np
import torch
from PIL import Image

import model_file
import reading
from anchors import ANCHORS, Coded, Codec, jpeg_444, webp, x264
from codec import Network, quantise
from crops import FRAMES, heldout
from quality import blocking, pixels_to_tensor, psnr, ssim
from rate import StreamBytes, packed_bytes, planar_bytes
from restoration import drawn_tiles, restored

MODEL = Path(__file__).parent / "latentdesk-lite.safetensors"
PACKER = Path(__file__).parent.parent / "build" / "release" / "bin" / "latent_sizes"
SCALES = [0.875, 1.4, 2.2, 3.5, 5.5]  # from scale_min to scale_max
TARGETS = [30, 33, 36, 40]  # dB at which codecs are compared
LOOKS = [0.3, 0.6, 0.9]  # bits a pixel of the pictures
Point = tuple[float, float, float]  # bits a pixel, PSNR, SSIM


class Neural:
    """The model as the programs run it."""

    def __init__(self, encoder: Network, decoder: Network, size: Callable[[torch.Tensor], int]):
        self.encoder, self.decoder, self.size = encoder, decoder, size
        self.coded: dict[tuple[int, float, bool], tuple[torch.Tensor, np.ndarray, np.ndarray]] = {}

    def packed_by(self, size: Callable[[torch.Tensor], int]) -> "Neural":
        """The same pictures, other bytes."""
        other = Neural(self.encoder, self.decoder, size)
        other.coded = self.coded
        return other

    def in_8_bits(self, on: bool) -> "Neural":
        self.encoder.int8.on = self.decoder.int8.on = on
        return self

    @torch.no_grad()
    def __call__(self, frame: np.ndarray, scale: float) -> Coded:
        key = (id(frame), scale, self.encoder.int8.on)
        if key not in self.coded:
            q = quantise(self.encoder(pixels_to_tensor(frame) / 255), scale)
            # The frame is kept too, or another could come to have its id.
            self.coded[key] = q[0].to(torch.int8), shown(self.decoder(q * scale), scale, frame), frame
        q, pixels, _ = self.coded[key]
        return self.size(q), pixels

    @torch.no_grad()
    def tiled(self, frame: np.ndarray, scale: float) -> Coded:
        """The same in tiles of 64 pixels, each coded alone as in the stream; the frame is cut to fit.

        What viewers restore they restore across tiles too, if one update brings them.
        """
        h, w = frame.shape[0] // 64, frame.shape[1] // 64
        tiles = frame[: h * 64, : w * 64].reshape(h, 64, w, 64, 3).swapaxes(1, 2).reshape(-1, 64, 64, 3)
        q = quantise(self.encoder(torch.from_numpy(tiles).permute(0, 3, 1, 2).float() / 255), scale)
        planes = q.reshape(h, w, -1, 8, 8).permute(2, 0, 3, 1, 4).reshape(-1, h * 8, w * 8)
        image = self.decoder(q * scale).reshape(h, w, 3, 64, 64).permute(2, 0, 3, 1, 4)
        return self.size(planes.contiguous()), shown(image.reshape(1, 3, h * 64, w * 64), scale, frame)


def shown(image: torch.Tensor, scale: float, original: np.ndarray) -> np.ndarray:
    """What viewers show, uint8 [h,w,3], of decoded RGB 0..1 [1,3,h,w]; the encoder tells them what is drawn."""
    drawn = drawn_tiles(torch.from_numpy(original[: image.shape[2], : image.shape[3]]).permute(2, 0, 1))
    levels = (image.clamp(0, 1) * 255).round()
    return restored(levels, scale, drawn[None], whole=True)[0].byte().permute(1, 2, 0).numpy()


def squared_error(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.square(a.astype(np.float32) - b).mean())


def curve(codec: Codec, frames: list[np.ndarray], settings: list[float]) -> list[Point]:
    points = []
    for setting in settings:
        bits, errors, alike = 0, [], []
        for frame in frames:
            size, out = codec(frame, setting)
            original = frame[: out.shape[0], : out.shape[1]]
            bits += 8 * size / (out.shape[0] * out.shape[1])
            errors.append(squared_error(original, out))
            alike.append(ssim(pixels_to_tensor(original.copy()), pixels_to_tensor(out.copy())))
        points.append((bits / len(frames), psnr(np.mean(errors)), float(np.mean(alike))))
    return points


def anchor_curves(frames: dict[str, list[np.ndarray]], file: Path) -> dict[str, dict[str, list[Point]]]:
    """Kept in `file`, since they take minutes and depend on the frames only."""
    if file.exists():
        return json.loads(file.read_text())
    measured = {
        name: {kind: curve(codec, some, settings) for kind, some in frames.items()}
        for name, (codec, settings) in ANCHORS.items()
    }
    file.write_text(json.dumps(measured))
    return measured


def at(points: list[Point], target: float, which: int = 1) -> float:
    """Bits a pixel at a PSNR (or SSIM, `which` 2), interpolated along log(bits); nan where no curve reaches."""
    ordered = sorted(points)
    bits, quality = np.array([p[0] for p in ordered]), np.maximum.accumulate([p[which] for p in ordered])
    if not quality[0] <= target <= quality[-1]:
        return float("nan")
    return float(np.exp(np.interp(target, quality, np.log(bits))))


def number(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.2f}"


def table(rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]) + "\n"


def compared(curves: dict[str, dict[str, list[Point]]]) -> str:
    kinds = list(next(iter(curves.values())))
    goals = " / ".join(map(str, TARGETS))
    rows = [["codec", *kinds]]
    rows += [
        [name, *(" / ".join(number(at(by[k], t)) for t in TARGETS) for k in kinds)]
        for name, by in curves.items()
    ]
    against = [["packed", *kinds]]
    for name in (n for n in curves if n.startswith("lite")):
        ratios = ([at(curves[name][k], t) / at(curves["x264"][k], t) for t in TARGETS] for k in kinds)
        against.append([name, *(" / ".join(map(number, ratio)) for ratio in ratios)])
    alike = [["codec", *kinds]]
    alike += [[name, *(number(at(by[k], 0.98, 2)) for k in kinds)] for name, by in curves.items()]
    return (
        f"Bits a pixel at {goals} dB:\n\n{table(rows)}\nBytes over those of x264 at {goals} dB:\n\n"
        f"{table(against)}\nBits a pixel at SSIM 0.98:\n\n{table(alike)}"
    )


def by_scale(curves: dict[str, list[Point]]) -> str:
    rows = [["scale", *curves]]
    for i, scale in enumerate(SCALES):
        rows.append(
            [f"{scale:g}", *("{:.2f} / {:.1f} / {:.3f}".format(*points[i]) for points in curves.values())]
        )
    return f"Bits a pixel / dB / SSIM by scale:\n\n{table(rows)}"


def against(plain: Codec, other: Codec, frames: dict[str, list[np.ndarray]]) -> str:
    """What `other` does to PSNR and bytes at equal scales."""
    rows = [["scale", *frames]]
    for scale in SCALES:
        cells = []
        for some in frames.values():
            before, after = (curve(codec, some, [scale])[0] for codec in (plain, other))
            cells.append(f"{after[1] - before[1]:+.2f} dB, {100 * (after[0] / before[0] - 1):+.1f}%")
        rows.append([f"{scale:g}", *cells])
    return table(rows)


def in_8_bits(neural: "Neural", frame: np.ndarray, scale: float) -> Coded:
    try:
        return neural.in_8_bits(True)(frame, scale)
    finally:
        neural.in_8_bits(False)


def scale_for(codec: Codec, frame: np.ndarray, bits: float) -> float:
    low, high = SCALES[0], 3 * SCALES[-1]
    for _ in range(6):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if codec(frame, middle)[0] * 8 > bits * frame.size / 3 else (low, middle)
    return (low * high) ** 0.5


def legibility(neural: Neural, pages: int = 4) -> str:
    """Character error rates of tesseract on pages of known text."""
    rows = [["page", "original", *(f"{bits} bpp" for bits in LOOKS)]]
    for i in range(pages):
        pixels, text = reading.page(i)
        versions = [pixels] + [neural(pixels, scale_for(neural, pixels, bits))[1] for bits in LOOKS]
        rates = [f"{100 * reading.error_rate(reading.read(v), text):.2f}%" for v in versions]
        size, ink, paper = reading.LOOKS[i % len(reading.LOOKS)]
        rows.append([f"{size} px, {ink} on {paper}", *rates])
    return f"Character error rate of tesseract:\n\n{table(rows)}"


def within(codec: Codec, settings: Sequence[int], frame: np.ndarray, bits: float) -> np.ndarray:
    """The picture of the best setting, from coarse to fine, that takes no more bits a pixel."""
    coded = lambda setting: codec(frame, setting)
    first = bisect.bisect_right(settings, bits, key=lambda s: coded(s)[0] * 24 / frame.size)
    return coded(settings[max(first - 1, 0)])[1]


def borders(neural: Neural, frames: list[np.ndarray]) -> str:
    """Steps across borders over steps inside, at 0.5 bits a pixel, on the photographs that are smoothest."""
    smooth = sorted(frames, key=lambda f: np.abs(np.diff(f.astype(np.float32), axis=1)).mean())[:3]
    others = [(jpeg_444, range(30, 99)), (webp, range(30, 99)), (x264, range(36, 8, -1))]
    blocks, ratios = (8, 64), []
    for frame in smooth:
        frame = frame[: frame.shape[0] // 64 * 64]
        scale = scale_for(neural, frame, 0.5)
        versions = [frame, neural(frame, scale)[1], neural.tiled(frame, scale)[1]]
        versions.append(neural.in_8_bits(True)(frame, scale)[1])
        neural.in_8_bits(False)
        versions += [within(codec, settings, frame, 0.5) for codec, settings in others]
        ratios.append([[blocking(v, block) for v in versions] for block in blocks])
    rows = [["", "original", "lite, whole", "in tiles", "whole, int8", "JPEG 4:4:4", "WebP", "x264"]]
    rows += [[f"every {b} pixels", *(f"{r:.3f}" for r in row)] for b, row in zip(blocks, np.mean(ratios, 0))]
    return (
        f"Mean step across borders over the mean step inside, smooth photographs at 0.5 bpp:\n\n{table(rows)}"
    )


def plots(curves: dict[str, dict[str, list[Point]]], out: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    for kind in next(iter(curves.values())):
        figure, axes = plt.subplots(1, 2, figsize=(9, 3.6))
        for axis, which, label in zip(axes, (1, 2), ("PSNR, dB", "SSIM")):
            for name, by_kind in curves.items():
                points = np.array(sorted(by_kind[kind]))
                axis.plot(
                    points[:, 0], points[:, which], "-o", ms=3, lw=2 if name == "lite" else 1, label=name
                )
            axis.set_xscale("log")
            axis.set_xlabel("bits a pixel")
            axis.set_ylabel(label)
            axis.grid(True, alpha=0.3)
        axes[1].set_ylim(0.85, 1)
        axes[0].legend(fontsize=7)
        figure.suptitle(kind)
        figure.tight_layout()
        figure.savefig(out / f"rate-{kind}.png", dpi=80)
        plt.close(figure)


def looks(neural: Neural, frame: np.ndarray, size: int = 160) -> Image.Image:
    """The busiest part of a frame beside what it looks like at LOOKS bits a pixel, twice as large."""
    places = [(y, x) for y in range(60, 720 - size, 60) for x in range(0, 1280 - size, 60)]
    y, x = max(places, key=lambda p: frame[p[0] : p[0] + size, p[1] : p[1] + size].std())
    versions = [frame] + [neural(frame, scale_for(neural, frame, bits))[1] for bits in LOOKS]
    strip = np.concatenate([v[y : y + size, x : x + size] for v in versions], 1)
    return Image.fromarray(strip.repeat(2, 0).repeat(2, 1))


def gradients(count: int) -> list[np.ndarray]:
    """Smooth ramps between random colours, as wallpapers and web pages have them."""
    rng, y, x = np.random.default_rng(5), *np.mgrid[0:720, 0:1280]
    frames = []
    for i in range(count):
        angle, (a, b) = rng.uniform(0, 6.28), rng.uniform(0, 255, (2, 3))
        place = (
            x / 1280 * np.cos(angle) + y / 720 * np.sin(angle) if i % 2 else np.hypot(x - 640, y - 360) / 735
        )
        part = ((place - place.min()) / np.ptp(place))[..., None]
        frames.append((a + (b - a) * part).round().astype(np.uint8))
    return frames


def curves_and_plots(neural: Neural, frames: dict[str, list[np.ndarray]], out: Path) -> str:
    ours = {
        "lite": neural,
        "lite, DEFLATE": neural.packed_by(packed_bytes),
        "lite, planar": neural.packed_by(planar_bytes),
    }
    curves = anchor_curves(frames, out / "anchors.json")
    curves |= {
        name: {kind: curve(codec, frames[kind], SCALES) for kind in frames} for name, codec in ours.items()
    }
    plots(curves, out)
    return f"{compared(curves)}\n{by_scale(curves['lite'])}"


def pictures(neural: Neural, frames: dict[str, list[np.ndarray]], out: Path) -> str:
    for kind, some in frames.items():
        looks(neural, some[0]).save(out / f"looks-{kind}.png")
    return ""


def sections(neural: Neural, frames: dict[str, list[np.ndarray]], out: Path) -> dict[str, Callable[[], str]]:
    few = {kind: [f[: f.shape[0] // 64 * 64] for f in some[:2]] for kind, some in frames.items()}
    return {
        "curves": lambda: curves_and_plots(neural, frames, out),
        "int8": lambda: against(neural, lambda f, s: in_8_bits(neural, f, s), few),
        "tiles": lambda: against(neural, neural.tiled, few),
        "reading": lambda: legibility(neural),
        "borders": lambda: borders(neural, frames["photo"]),
        "looks": lambda: pictures(neural, frames, out),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", type=Path, default=MODEL)
    options.add_argument("--packer", type=Path, default=PACKER, help="latent_sizes, built with the tests")
    options.add_argument("--out", type=Path, default=Path("evaluation"))
    options.add_argument("--frames", type=int, default=5, help="frames a class")
    options.add_argument("--only", default="curves,int8,tiles,reading,borders,looks")
    chosen = options.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    torch.set_grad_enabled(False)
    encoder, decoder, about = model_file.read_model(chosen.model)
    frames = heldout(FRAMES, chosen.frames) | {"gradient": gradients(2)}
    every = sections(Neural(encoder, decoder, StreamBytes(chosen.packer)), frames, chosen.out)
    for name in chosen.only.split(","):
        text = every[name]()
        print(f"{about['name']}-{about['version']}.{about['hash']} {name}\n\n{text}", flush=True)
        (chosen.out / f"{name}.md").write_text(text)


if __name__ == "__main__":
    main()
