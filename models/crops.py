"""Training crops from the recorded frames, which lie in a folder or, packed by dataset/record.py, in a tar file."""

import io
import tarfile
from pathlib import Path
from typing import Iterator

import numpy as np
import torch
from PIL import Image
from torch import Tensor

SHARES = {"text": 0.5, "mixed": 0.24, "photo": 0.15, "render": 0.11}
FRAMES = Path(__file__).parent / "dataset" / "out"


def files(data: Path, split: str) -> Iterator[tuple[str, bytes]]:
    """Name and content of the frames of a split, in the order of their names."""
    if data.is_dir():
        yield from ((path.name, path.read_bytes()) for path in sorted((data / split).glob("*.webp")))
        return
    with tarfile.open(data) as packed:
        for member in sorted(packed.getmembers(), key=lambda m: m.name):
            if member.name.startswith(split + "/"):
                yield member.name.split("/")[1], packed.extractfile(member).read()


def load(data: Path, split: str) -> dict[str, list[np.ndarray]]:
    """Frames by class, uint8 [h,w,3]; the class is the file name up to the first dash."""
    frames: dict[str, list[np.ndarray]] = {}
    for name, content in files(data, split):
        frames.setdefault(name.split("-")[0], []).append(
            np.array(Image.open(io.BytesIO(content)).convert("RGB"))
        )
    return frames


def heldout(data: Path, count: int) -> dict[str, list[np.ndarray]]:
    """`count` frames a class, spread over the held-out ones."""
    every = {kind: frames[:: max(1, len(frames) // count)] for kind, frames in load(data, "heldout").items()}
    return {kind: frames[:count] for kind, frames in every.items()}


class Crops:
    """An endless random source of batches uint8 [n,3,size,size]."""

    def __init__(self, data: Path, seed: int):
        self.frames = load(data, "train")
        self.classes = [c for c in SHARES if c in self.frames]
        self.shares = np.array([SHARES[c] for c in self.classes])
        self.rng = np.random.default_rng(seed)

    def batch(self, count: int, size: int) -> Tensor:
        return torch.from_numpy(np.stack([self.crop(size) for _ in range(count)])).permute(0, 3, 1, 2)

    def crop(self, size: int) -> np.ndarray:
        while True:
            frames = self.frames[self.rng.choice(self.classes, p=self.shares / self.shares.sum())]
            frame = frames[self.rng.integers(len(frames))]
            y, x = (self.rng.integers(n - size + 1) for n in frame.shape[:2])
            crop = frame[y : y + size, x : x + size]
            if crop[::2, ::2].std() > 6 or self.rng.random() < 0.03:  # empty crops teach nothing
                return self.augmented(crop)

    def augmented(self, crop: np.ndarray) -> np.ndarray:
        """Other colours and flips: the codec must not prefer the few themes that were recorded."""
        if self.rng.random() < 0.1:
            crop = crop[..., self.rng.permutation(3)]
        if self.rng.random() < 0.3:
            crop = 255 - crop
        if self.rng.random() < 0.5:
            crop = crop[:, ::-1]
        return crop[::-1] if self.rng.random() < 0.2 else crop
