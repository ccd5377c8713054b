"""Training crops from the recorded frames."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

SHARES = {"text": 0.44, "mixed": 0.2, "photo": 0.22, "render": 0.14}
FRAMES = Path(__file__).parent / "dataset" / "out"


def load(folder: Path) -> dict[str, list[np.ndarray]]:
    """Frames by class, uint8 [h,w,3]; the class is the file name up to the first dash."""
    frames: dict[str, list[np.ndarray]] = {}
    for path in sorted(folder.glob("*.webp")):
        frames.setdefault(path.name.split("-")[0], []).append(np.array(Image.open(path).convert("RGB")))
    return frames


class Crops:
    """An endless random source of batches uint8 [n,3,size,size]."""

    def __init__(self, folder: Path, seed: int):
        self.frames = load(folder)
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
