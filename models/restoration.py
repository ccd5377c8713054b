"""What viewers do to decoded pictures to hide how they were coded: docs/protocol.md, "Restoration"."""

import torch
from torch import Tensor
from torch.nn import functional as F

SIDE = 8
SHARES = [16, 5, 4, 2]  # of 32, of the pixels on each side of a border, from the border away
STEP_PER_SCALE, LARGEST_STEP = 14.0, 255.0  # grey levels
NATURAL_NOISE, DRAWN_NOISE, LARGEST_NOISE = 9.0, 21.0, 62.0  # per square root of the scale
DRAWN_SHARE, TILE = 0.1, 64
AROUND = [
    (y, x) for reach in (1, 2) for y in (-reach, 0, reach) for x in (-reach, 0, reach) if (y, x) != (0, 0)
]


def ramp(difference: Tensor, limit: Tensor | float) -> Tensor:
    """A difference up to half of the limit, then ever less, nothing beyond it: H.263, Annex J."""
    size = difference.abs()
    return difference.sign() * torch.minimum(size, (limit - size).clamp_min(0))


def rounded(moves: Tensor, whole: bool) -> Tensor:
    return (moves + 0.5).floor() if whole else moves


def smoothed_across(image: Tensor, limit: Tensor, whole: bool) -> Tensor:
    """The borders between columns of blocks; `limit`: twice the largest step that is smoothed at all."""
    columns = image.shape[-1] // SIDE
    blocks = image[..., : columns * SIDE].unflatten(-1, (columns, SIDE))
    before, behind = blocks[..., :-1, :], blocks[..., 1:, :]
    wrong = 3 * (behind[..., 0] - before[..., 7]) - (behind[..., 1] - before[..., 6])
    shares = torch.tensor(SHARES, device=image.device) / 64
    by = rounded(ramp(wrong, limit)[..., None] * shares, whole)
    moves = torch.zeros_like(blocks)
    moves[..., :-1, 4:] += by.flip(-1)
    moves[..., 1:, :4] -= by
    moves[..., image.shape[-2] // SIDE * SIDE :, :, :] = 0  # blocks that the picture cuts stay
    return image + F.pad(moves.flatten(-2), (0, image.shape[-1] - columns * SIDE))


def drawn_together(image: Tensor, limit: Tensor, whole: bool) -> Tensor:
    """Samples move towards those around them that differ little."""
    h, w = image.shape[2:]
    around = F.pad(image, (2, 2, 2, 2), mode="replicate")
    pull = sum(ramp(around[:, :, 2 + y : 2 + y + h, 2 + x : 2 + x + w] - image, limit) for y, x in AROUND)
    return image + rounded(pull / len(AROUND), whole)


def equal_share(images: Tensor) -> Tensor:
    """Of the pixels of images [n,3,h,w], how many equal their left neighbours: [n]."""
    return (images[..., 1:] == images[..., :-1]).all(1).float().mean((1, 2))


def drawn_tiles(frame: Tensor) -> Tensor:
    """Where [1,h,w] the tiles of a frame [3,h,w] are drawn by programs: enough pixels equal their left neighbour."""
    where = torch.zeros(1, *frame.shape[1:], dtype=torch.bool, device=frame.device)
    for y in range(0, frame.shape[1], TILE):
        for x in range(0, frame.shape[2], TILE):
            tile = frame[None, :, y : y + TILE, x : x + TILE]
            where[:, y : y + TILE, x : x + TILE] = equal_share(tile) >= DRAWN_SHARE
    return where


def restored(
    image: Tensor, scale: Tensor | float, drawn: Tensor | bool = False, unit: float = 1, whole: bool = False
) -> Tensor:
    """`image` [n,3,h,w] in units of so many grey levels; `scale`: one, or [n]; `drawn`: of all, or [n,1,h,w].

    `whole`: grey levels in, grey levels out, equal to the programs' to the bit.
    """
    scale = torch.as_tensor(scale, dtype=torch.float32).reshape(-1, 1, 1, 1).to(image.device)
    drawn = torch.as_tensor(drawn, device=image.device)
    step = rounded((STEP_PER_SCALE * scale).clamp(max=LARGEST_STEP), whole) / unit
    natural, other = (
        rounded((per_root * scale.sqrt()).clamp(max=LARGEST_NOISE), whole) / unit
        for per_root in (NATURAL_NOISE, DRAWN_NOISE)
    )
    for _ in range(2):
        image = smoothed_across(image, 2 * step, whole).transpose(2, 3)
        image = image.clamp(0, 255) if whole else image
    image = drawn_together(image, torch.where(drawn, other, natural), whole)
    return image.clamp(0, 255) if whole else image
