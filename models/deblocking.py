"""Smooths the borders between decoded blocks, as viewers do: docs/protocol.md, "Borders of blocks"."""

import torch
from torch import Tensor
from torch.nn import functional as F

SIDE = 8
SHARES = [13, 6, 3, 1]  # of 32, of the pixels on each side, from the border away
LEVELS_PER_SCALE, MOST_LEVELS = 12.0, 255.0


def smoothed_across(image: Tensor, limit: Tensor | float, whole: bool) -> Tensor:
    """The borders between columns of blocks; `limit`: twice the largest step that is smoothed at all."""
    columns = image.shape[-1] // SIDE
    blocks = image[..., : columns * SIDE].unflatten(-1, (columns, SIDE))
    before, behind = blocks[..., :-1, :], blocks[..., 1:, :]
    wrong = 3 * (behind[..., 0] - before[..., 7]) - (behind[..., 1] - before[..., 6])
    excess = wrong.sign() * torch.minimum(wrong.abs(), (limit - wrong.abs()).clamp_min(0))
    by = excess[..., None] * torch.tensor(SHARES, device=image.device) / 64
    if whole:
        by = (by + 0.5).floor()
    moves = torch.zeros_like(blocks)
    moves[..., :-1, 4:] += by.flip(-1)
    moves[..., 1:, :4] -= by
    return image + F.pad(moves.flatten(-2), (0, image.shape[-1] - columns * SIDE))


def smoothed(image: Tensor, scale: Tensor | float, unit: float = 1, whole: bool = False) -> Tensor:
    """`image` [n,3,h,w], a whole number of blocks high, in units of so many grey levels; `scale`: one, or [n].

    `whole`: grey levels in, grey levels out, equal to the programs' to the bit.
    """
    levels = (LEVELS_PER_SCALE * torch.as_tensor(scale, dtype=torch.float32)).clamp(max=MOST_LEVELS)
    limit = 2 * ((levels + 0.5).floor() if whole else levels).reshape(-1, 1, 1, 1).to(image.device) / unit
    for _ in range(2):
        image = smoothed_across(image, limit, whole).transpose(2, 3)
        image = image.clamp(0, 255) if whole else image
    return image
