"""Arithmetic of 8 bits, imitated in training so that the weights survive it.

Weights are int8 with one step an output channel; what a ReLU gives is uint8 with one step a layer; sums,
biases and the networks' outputs stay float. A picture is uint8 and latents are int8 to begin with.
"""

import torch
from torch import Tensor, nn


def weight_steps(weight: Tensor, of_latents: bool) -> Tensor:
    """[out,1,1,1]: the step of each output channel's weights, of which int8 holds 127.

    Of latents the first is by far the largest, a block's brightness. Its weights become whole multiples of the
    steps, which grow by an eighth at most: or flat areas would have a pattern.
    """
    weight = weight.detach()
    steps = weight.abs().amax((1, 2, 3), keepdim=True).clamp_min(1e-8) / 127
    if not of_latents:
        return steps
    brightness = weight[:, :1].abs().amax((2, 3), keepdim=True)
    multiples = torch.floor(brightness / steps)
    return torch.where(multiples >= 8, brightness / multiples.clamp_min(1), steps)


def rounded(x: Tensor) -> Tensor:
    """Rounds, and lets gradients through."""
    return x + (x.round() - x).detach()


class FakeQuantisation(nn.Module):
    """Rounds as int8 arithmetic would while `on`; learns the range of each ReLU while `watching`."""

    def __init__(self, layers: list[str]):
        super().__init__()
        self.on, self.watching, self.layers = False, False, layers
        self.steps: dict[str, Tensor] = {}  # of layers whose weights are whole multiples already
        for layer in layers:
            self.register_buffer(f"range{layer}", torch.zeros(()))

    def calibrated(self) -> bool:
        return all(self.top(layer) > 0 for layer in self.layers)

    def top(self, layer: str) -> Tensor:
        """What uint8 255 stands for."""
        return getattr(self, f"range{layer}")

    def weight(self, layer: str, weight: Tensor, of_latents: bool) -> Tensor:
        if not self.on:
            return weight
        steps = self.steps[layer] if layer in self.steps else weight_steps(weight, of_latents)
        return rounded(weight / steps) * steps

    def activation(self, layer: str, x: Tensor) -> Tensor:
        top = self.top(layer)
        if self.watching:
            seen = x.detach().amax()
            top.copy_(torch.where(top == 0, seen, top + 0.01 * (seen - top)))
        if not self.on:
            return x
        step = top.clamp_min(1e-6) / 255
        return rounded(torch.clamp(x / step, max=255)) * step
