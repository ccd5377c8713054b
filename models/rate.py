"""The rate proxy of training, and the rates that count: bytes.

`StreamBytes` asks the programs' own range coder (common/stream/latent_coding.h). Without it there are two layouts
of int8 latents [c,h,w] for DEFLATE, channels by falling activity:

`planar_bytes`, the baseline's: all of a channel after all of another, one zlib stream, run lengths only.

`pack`, by which training measures itself, since it needs no build: a plane of counts, how many channels a
position has up to its last non-zero one; then the values before that, position by position, in parts by band of
channels and class of count. All parts are DEFLATE, each with the strategy that suits it best (`deflateParams`
switches between parts of one stream); a reader knows each part's length from the counts. Busy and quiet blocks
so have Huffman codes of their own, and blocks that were seen before are found again.
"""

import math
import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from codec import SCALE_MAX, SCALE_MIN

LEVELS = 4  # scales, evenly spaced in the logarithm, at which the densities are learnt
BANDS = [0, 1, 3, 8, 20, 48, 96, 256]  # first channels of the bands
CLASSES = [0, 2, 6, 14, 28, 48, 80, 120, 256]  # a class holds the counts above one and up to the next
STRATEGIES = [zlib.Z_FILTERED, zlib.Z_RLE, zlib.Z_HUFFMAN_ONLY]


class Density(nn.Module):
    """A mixture of three logistics for each channel, its parameters interpolated along log(scale)."""

    def __init__(self, spread: Tensor):
        """`spread` [c]: standard deviation of each channel's latents before training."""
        super().__init__()
        scales = torch.logspace(0, 1, LEVELS, base=SCALE_MAX / SCALE_MIN) * SCALE_MIN
        width = (spread[None, :] / scales[:, None] + 0.1).log()
        self.width = nn.Parameter(torch.stack([width - 2.5, width - 1.2, width], -1))  # [levels, channels, 3]
        self.centre = nn.Parameter(torch.zeros_like(self.width))
        self.weight = nn.Parameter(torch.zeros_like(self.width))

    def at(self, parameter: Tensor, scale: Tensor) -> Tensor:
        """The parameter [n,c,1,1,3] at each image's scale [n]."""
        position = (LEVELS - 1) * (scale / SCALE_MIN).log() / math.log(SCALE_MAX / SCALE_MIN)
        low = position.long().clamp(0, LEVELS - 2)
        part = (position - low)[:, None, None]
        return (parameter[low] * (1 - part) + parameter[low + 1] * part)[:, :, None, None]

    def bits(self, q: Tensor, scale: Tensor) -> Tensor:
        """Bits [n] of noisy quantised latents q [n,c,h,w]."""
        offset = q[..., None] - self.at(self.centre, scale)
        narrow = torch.exp(-self.at(self.width, scale).clamp(-4, 6))
        mass = torch.sigmoid((offset + 0.5) * narrow) - torch.sigmoid((offset - 0.5) * narrow)
        mass = (mass * F.softmax(self.at(self.weight, scale), -1)).sum(-1)
        return -mass.clamp_min(1e-6).log2().sum((1, 2, 3))


def deflated(data: bytes, strategy: int) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15, 9, strategy)
    return packer.compress(data) + packer.flush()


def planar_bytes(q: Tensor) -> int:
    """The size of the baseline's payload."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    return len(packer.compress(q.to(torch.int8).numpy().tobytes()) + packer.flush())


def parts(counts: np.ndarray) -> list[tuple[slice, np.ndarray, np.ndarray]]:
    """Of each part after the counts: its channels, its positions, and which of them [positions, channels] it holds."""
    found = []
    for low, high in zip(BANDS, BANDS[1:]):
        channels = np.arange(low, min(high, int(counts.max(initial=0))))
        for least, most in zip(CLASSES, CLASSES[1:]):
            positions = np.flatnonzero((counts > max(least, low)) & (counts <= most))
            if len(channels) and len(positions):
                held = channels[None, :] < counts[positions][:, None]
                found.append((slice(low, low + len(channels)), positions, held))
    return found


def pack(q: np.ndarray) -> list[bytes]:
    """int8 [c,h,w] to raw DEFLATE, a string for each part."""
    flat = q.reshape(q.shape[0], -1)
    filled = flat != 0
    counts = np.where(filled.any(0), len(flat) - np.argmax(filled[::-1], 0), 0).astype(np.uint8)
    values = [flat[channels][:, positions].T[held] for channels, positions, held in parts(counts)]
    return [min((deflated(part.tobytes(), s) for s in STRATEGIES), key=len) for part in [counts, *values]]


def unpack(packed: list[bytes], shape: tuple[int, int, int]) -> np.ndarray:
    inflated = [zlib.decompress(part, -15) for part in packed]
    counts, flat = np.frombuffer(inflated[0], np.uint8), np.zeros((shape[0], shape[1] * shape[2]), np.int8)
    for (channels, positions, held), part in zip(parts(counts), inflated[1:]):
        block = np.zeros(held.shape, np.int8)
        block[held] = np.frombuffer(part, np.int8)
        rows = flat[channels]  # a view
        rows[:, positions] = block.T
    return flat.reshape(shape)


def packed_bytes(q: Tensor) -> int:
    """The size of a `pack`."""
    return sum(map(len, pack(q.to(torch.int8).numpy())))


class StreamBytes:
    """How many bytes the stream makes of a frame's latents [c,h,w], sent as 64x64 tiles all at once."""

    def __init__(self, program: Path):
        """`program` is latent_sizes, which is built with the tests."""
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, q: Tensor) -> int:
        whole = F.pad(q[None].float(), (0, -q.shape[2] % 8, 0, -q.shape[1] % 8), mode="replicate")[0]
        c, h, w = whole.shape
        tiles = whole.to(torch.int8).reshape(c, h // 8, 8, w // 8, 8).transpose(2, 3)
        self.process.stdin.write(struct.pack("=ii", c, h * w // 64) + tiles.numpy().tobytes())
        self.process.stdin.flush()
        return int(self.process.stdout.readline())
