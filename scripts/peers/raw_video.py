"""Recordings of packed BGR0 frames, and how near to one what a viewer shows comes."""

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np

PSNR_OF_EQUAL = 99.0


def read_frames(path: Path, width: int, height: int) -> np.ndarray:
    """uint8 [frames, height, width, 4], mapped; ValueError when the file is no whole number of frames."""
    frame_bytes = width * height * 4
    size = path.stat().st_size
    if size == 0 or size % frame_bytes:
        raise ValueError(f"{path}: {size} bytes are no whole number of frames of {width}x{height}")
    return np.memmap(path, np.uint8, "r").reshape(-1, height, width, 4)


def psnr(original: np.ndarray, shown: Iterable[np.ndarray]) -> float:
    """RGB, dB, from the pooled squared error of all frames; ValueError when frames are missing or too many."""
    squared_error, frames = 0, 0
    for a, b in zip(original, shown, strict=True):
        difference = a[..., :3].astype(np.int32) - b[..., :3]
        squared_error += int(np.square(difference).sum(dtype=np.int64))
        frames += 1
    if squared_error == 0:
        return PSNR_OF_EQUAL
    return 10 * math.log10(255 * 255 * original[..., :3].size / squared_error)
