"""How alike two pictures are: PSNR, SSIM, and whether blocks show."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


def psnr(error: float) -> float:
    """Of a mean squared error of 8-bit samples."""
    return 10 * np.log10(255**2 / max(error, 1e-9))


def ssim(a: Tensor, b: Tensor) -> float:
    """SSIM of brightness (0..255, images [1,3,h,w]): windows of 8x8 pixels in steps of 4, as Wang et al. 2004."""
    weights = torch.tensor([0.299, 0.587, 0.114], device=a.device).reshape(1, 3, 1, 1)
    x, y = ((image * weights).sum(1, keepdim=True).double() for image in (a, b))
    mean = lambda image: F.avg_pool2d(image, 8, 4)
    mx, my = mean(x), mean(y)
    vx, vy, both = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return ((2 * mx * my + c1) * (2 * both + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2))).mean().item()


def pixels_to_tensor(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float()


def blocking(decoded: np.ndarray, block: int) -> float:
    """The mean step between neighbours across the borders of blocks, over that between all others."""
    image = decoded.astype(np.float32).mean(2)
    ratios = []
    for turned in (image, image.T):
        steps = np.abs(np.diff(turned, axis=1)).mean(0)
        across = np.arange(len(steps)) % block == block - 1
        ratios.append(steps[across].mean() / steps[~across].mean())
    return float(np.mean(ratios))
