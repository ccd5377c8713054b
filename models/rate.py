"""The rate proxy of training, and the rate that counts: bytes of zlib."""

import math
import zlib

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from codec import SCALE_MAX, SCALE_MIN

LEVELS = 4  # scales, evenly spaced in the logarithm, at which the densities are learnt


class Density(nn.Module):
    """A mixture of three logistics for each channel, its parameters interpolated along log(scale)."""

    def __init__(self, spread: Tensor):
        """`spread` [96]: standard deviation of each channel's latents before training."""
        super().__init__()
        scales = torch.logspace(0, 1, LEVELS, base=SCALE_MAX / SCALE_MIN) * SCALE_MIN
        width = (spread[None, :] / scales[:, None] + 0.1).log()
        self.width = nn.Parameter(torch.stack([width - 2.5, width - 1.2, width], -1))  # [levels, channels, 3]
        self.centre = nn.Parameter(torch.zeros_like(self.width))
        self.weight = nn.Parameter(torch.zeros_like(self.width))

    def at(self, parameter: Tensor, scale: Tensor) -> Tensor:
        """The parameter [n,96,1,1,3] at each image's scale [n]."""
        position = (LEVELS - 1) * (scale / SCALE_MIN).log() / math.log(SCALE_MAX / SCALE_MIN)
        low = position.long().clamp(0, LEVELS - 2)
        part = (position - low)[:, None, None]
        return (parameter[low] * (1 - part) + parameter[low + 1] * part)[:, :, None, None]

    def bits(self, q: Tensor, scale: Tensor) -> Tensor:
        """Bits [n] of noisy quantised latents q [n,96,h,w]."""
        offset = q[..., None] - self.at(self.centre, scale)
        narrow = torch.exp(-self.at(self.width, scale).clamp(-4, 6))
        mass = torch.sigmoid((offset + 0.5) * narrow) - torch.sigmoid((offset - 0.5) * narrow)
        mass = (mass * F.softmax(self.at(self.weight, scale), -1)).sum(-1)
        return -mass.clamp_min(1e-6).log2().sum((1, 2, 3))


def packed_bytes(q: Tensor) -> int:
    """The size on the wire of int8 latents [96,h,w]: planar, DEFLATE level 6 with run lengths only."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    return len(packer.compress(q.to(torch.int8).numpy().tobytes()) + packer.flush())
