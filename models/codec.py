"""The codec networks as data: one list of layers is what PyTorch builds, and what the model file stores.

An encoder turns an image [n,3,h,w] into latents [n,192,h/8,w/8], which travel as int8
q = clamp(round(latent / scale), -127, 127); the decoder sees nothing but q * scale. One `scale` is the whole
quality control: the gains of the channels are fixed in the weights. There is one latent space, and two pairs of
networks for it: `lite` for processors and browsers, `full` for GPUs; any decoder reads any encoder.

Training counts samples and latents in units of 16 grey levels, where weights, latents and Adam's steps are of
one size. `fold_units` rewrites the outer layers to RGB 0..1, which is what a model file takes and gives.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from quantised import FakeQuantisation, weight_steps

CHANNELS, STRIDE = 192, 8
BLOCK_SIZE = 3 * STRIDE * STRIDE
UNIT = 16.0  # grey levels of 0..255
SCALE_MIN, SCALE_MAX = 14 / UNIT, 88 / UNIT  # about 42 dB and 29 dB on text
REACH = 127 * SCALE_MIN  # what an int8 latent can hold at the finest scale; a block's brightness just fits
DEAD_ZONE, DEAD_ZONE_SPAN = (0.6, 0.8), 96  # see `quantise`: of the first channel, and from the 96th on
Layer = dict


def conv(
    inputs: int, outputs: int, size: int, relu: bool = False, start: str = "random", **links: int
) -> Layer:
    """`start` says how training begins: random, zero, or the half of a PCA transform (analysis, synthesis)."""
    return {"op": "conv", "shape": [outputs, inputs, size, size], "relu": relu, "start": start, **links}


def reads(source: int) -> dict[str, int]:
    return {"from": source}


def space_to_depth(block: int) -> Layer:
    return {"op": "space_to_depth", "block": block}


def depth_to_space(block: int, **links: int) -> Layer:
    return {"op": "depth_to_space", "block": block, **links}


def residual(channels: int, at: int) -> list[Layer]:
    """ReLU(x + 3x3(ReLU(3x3(x)))), where x is the output of layer `at - 1`."""
    return [
        conv(channels, channels, 3, relu=True),
        conv(channels, channels, 3, relu=True, start="zero", add=at - 1),
    ]


# Block by block: equal blocks have equal latents wherever they stand, which is what DEFLATE can find again.
LITE_ENCODER = [
    space_to_depth(8),
    conv(BLOCK_SIZE, CHANNELS, 1, start="analysis"),
    conv(BLOCK_SIZE, 160, 1, relu=True, **reads(0)),
    conv(160, 160, 1, relu=True),
    conv(160, CHANNELS, 1, start="zero", add=1),
]
# The 3x3 at a quarter of the size is there so that smooth pictures show no 8x8 blocks; the bypass is linear.
LITE_DECODER = [
    conv(CHANNELS, BLOCK_SIZE, 1, start="synthesis"),
    depth_to_space(2),
    conv(CHANNELS, 96, 1, relu=True, **reads(-1)),
    conv(96, 48, 3, relu=True),
    conv(48, 64, 1, relu=True),
    depth_to_space(2),
    conv(16, 48, 3, start="zero", add=1),
    depth_to_space(4),
]
FULL_ENCODER = [
    space_to_depth(8),
    conv(BLOCK_SIZE, CHANNELS, 1, start="analysis"),
    conv(BLOCK_SIZE, 128, 3, relu=True, **reads(0)),
    *residual(128, at=3),
    *residual(128, at=5),
    *residual(128, at=7),
    conv(128, CHANNELS, 1, start="zero", add=1),
]
FULL_DECODER = [
    conv(CHANNELS, BLOCK_SIZE, 1, start="synthesis"),
    depth_to_space(2),
    conv(CHANNELS, 128, 1, relu=True, **reads(-1)),
    *residual(128, at=3),
    *residual(128, at=5),
    *residual(128, at=7),
    conv(128, 256, 1, relu=True),
    depth_to_space(2),
    conv(64, 64, 3, relu=True),
    conv(64, 48, 3, start="zero", add=1),
    depth_to_space(4),
]
LAYERS = {"lite": (LITE_ENCODER, LITE_DECODER), "full": (FULL_ENCODER, FULL_DECODER)}


def to_depth(x: Tensor, block: int) -> Tensor:
    """[n,c,h,w] to [n,block*block*c,h/block,w/block], channel = (dy * block + dx) * c + old (DCR)."""
    n, c, h, w = x.shape
    x = x.reshape(n, c, h // block, block, w // block, block)
    return x.permute(0, 3, 5, 1, 2, 4).reshape(n, block * block * c, h // block, w // block)


def to_space(x: Tensor, block: int) -> Tensor:
    """The inverse of `to_depth`: ONNX DepthToSpace in DCR mode, which is not torch's pixel_shuffle."""
    n, c, h, w = x.shape
    x = x.reshape(n, block, block, c // (block * block), h, w)
    return x.permute(0, 3, 4, 1, 5, 2).reshape(n, c // (block * block), h * block, w * block)


class Network(nn.Module):
    """Runs a list of layers; `weights[str(i)]` belongs to layer i."""

    def __init__(self, layers: list[Layer]):
        super().__init__()
        self.layers = layers
        self.weights = nn.ModuleDict()
        for i, layer in enumerate(layers):
            if layer["op"] == "conv":
                outputs, inputs, size, _ = layer["shape"]
                self.weights[str(i)] = nn.Conv2d(inputs, outputs, size, padding=size // 2)
        self.pixel_readers = [i for i in self.weights if self.source(int(i))["op"] == "space_to_depth"]
        if self.pixel_readers:
            self.register_buffer("whitening", torch.eye(BLOCK_SIZE))
            self.register_buffer("centre", torch.zeros(BLOCK_SIZE))
        self.leak = 0.0  # slope of ReLUs below 0, while training wants none to die
        self.int8 = FakeQuantisation([str(i) for i in self.weights if layers[int(i)]["relu"]])

    def source(self, i: int) -> Layer:
        place = self.layers[i].get("from", i - 1)
        return self.layers[place] if place >= 0 else {"op": "input"}

    def affine(self, i: str) -> tuple[Tensor, Tensor]:
        """Weight and bias of a convolution. Those that read pixels are learnt for whitened, centred blocks.

        Pixels are all alike and never negative: a step of Adam for them would mostly move the brightness, by more
        than the quantiser's step, and ReLUs would die of it.
        """
        part = self.weights[i]
        if i not in self.pixel_readers:
            return part.weight, part.bias
        weight = torch.einsum("oikl,ij->ojkl", part.weight, self.whitening)
        return weight, part.bias - torch.einsum("ojkl,j->o", weight, self.centre)

    def forward(self, x: Tensor) -> Tensor:
        outputs = [x]  # outputs[i + 1] is that of layer i
        for i, layer in enumerate(self.layers):
            x = outputs[layer.get("from", i - 1) + 1]
            outputs.append(self.run(i, layer, x, outputs))
        return outputs[-1]

    def run(self, i: int, layer: Layer, x: Tensor, outputs: list[Tensor]) -> Tensor:
        if layer["op"] == "space_to_depth":
            return to_depth(x, layer["block"])
        if layer["op"] == "depth_to_space":
            return to_space(x, layer["block"])
        weight, bias = self.affine(str(i))
        y = F.conv2d(
            x,
            self.int8.weight(str(i), weight, self.source(i)["op"] == "input"),
            bias,
            padding=self.weights[str(i)].padding,
        )
        if "add" in layer:
            y = y + outputs[layer["add"] + 1]
        if not layer["relu"]:
            return y
        return self.int8.activation(str(i), F.leaky_relu(y, self.leak) if self.leak else F.relu(y))

    def macs_per_pixel(self, input_stride: int) -> float:
        """Multiply-adds per image pixel, given at which fraction of the image's size the input comes."""
        strides, total = [input_stride], 0.0
        for i, layer in enumerate(self.layers):
            stride = strides[layer.get("from", i - 1) + 1]
            if layer["op"] == "conv":
                total += self.weights[str(i)].weight.numel() / stride**2
            step = {"space_to_depth": layer.get("block", 1), "depth_to_space": 1 / layer.get("block", 1)}
            strides.append(stride * step.get(layer["op"], 1))
        return total

    def started(self, *ways: str) -> list[str]:
        return [i for i in self.weights if self.layers[int(i)].get("start") in ways]


def quantise(latents: Tensor, scale: Tensor | float) -> Tensor:
    """Whole numbers [...,c,h,w], of which the small ones become 0: what is rare costs more bits than it is worth.

    Below so many steps a latent becomes 0, the rest is rounded; later channels are rarer.
    """
    size = (latents / scale).abs()
    part = (torch.arange(latents.shape[-3], device=latents.device) / DEAD_ZONE_SPAN).clamp(max=1)
    dead = (DEAD_ZONE[0] + part * (DEAD_ZONE[1] - DEAD_ZONE[0]))[:, None, None]
    whole = torch.where(size < dead, torch.zeros_like(size), size.clamp(max=127).round())
    return whole * torch.sign(latents)


def pair(name: str) -> tuple[Network, Network]:
    """Encoder and decoder of `lite` or `full`."""
    encoder, decoder = LAYERS[name]
    return Network(encoder), Network(decoder)


@torch.no_grad()
def start_as_pca(encoder: Network, decoder: Network, blocks: Tensor) -> None:
    """Makes a pair a transform codec: `blocks` [n,192] are samples of 8x8 blocks in `to_depth` order.

    All other ways through the networks end in zeros, so training starts from PCA.
    """
    blocks = blocks.double()
    mean = blocks.mean(0)
    _, vectors = torch.linalg.eigh(torch.cov((blocks - mean).T))
    basis = vectors.flip(1)[:, :CHANNELS].T.clone()  # [160,192], strongest first
    centre = mean.clone()
    centre += (
        basis[0] * (basis[0] @ (255 / UNIT / 2 - mean)) / basis[0].square().sum()
    )  # brightness from mid-grey
    # The decoder spreads in two steps, 2 then 4, so its 192 channels come in another order.
    order = to_depth(to_depth(to_space(torch.arange(BLOCK_SIZE).reshape(1, -1, 1, 1), 8), 4), 2).flatten()
    for network in (encoder, decoder):
        for i in network.started("zero"):
            nn.init.zeros_(network.weights[i].weight)
            nn.init.zeros_(network.weights[i].bias)
    every = vectors.flip(1).T
    spread = ((blocks - centre) @ every.T).std(0).clamp_min(0.02)
    encoder.whitening.copy_(every / spread[:, None])
    encoder.centre.copy_(centre)
    for i in encoder.started("analysis"):
        set_linear(encoder.weights[i], torch.diag(spread)[:CHANNELS], torch.zeros(CHANNELS))
    for i in decoder.started("synthesis"):
        set_linear(decoder.weights[i], basis.T[order], centre[order])


def set_linear(layer: nn.Conv2d, matrix: Tensor, bias: Tensor) -> None:
    layer.weight.copy_(matrix[..., None, None])
    layer.bias.copy_(bias)


@torch.no_grad()
def input_spreads(network: Network, x: Tensor) -> dict[str, Tensor]:
    """The standard deviation of each convolution's input channels; training divides its steps by them.

    Random layers are divided by it, so that weak channels are heard beside strong ones.
    """
    spreads, outputs = {}, [x]
    for i, layer in enumerate(network.layers):
        x = outputs[layer.get("from", i - 1) + 1]
        if layer["op"] == "conv":
            spread = (
                torch.ones(x.shape[1]) if str(i) in network.pixel_readers else x.std((0, 2, 3)).clamp_min(0.1)
            )
            spreads[str(i)] = spread[None, :, None, None]
            if layer["start"] == "random":
                network.weights[str(i)].weight.div_(spreads[str(i)])
        outputs.append(network.run(i, layer, x, outputs))
    return spreads


@torch.no_grad()
def begin_anew(network: Network) -> None:
    """All but the linear way, which stays: random layers are to be scaled by `input_spreads` afterwards."""
    for i in network.started("random"):
        nn.init.kaiming_normal_(network.weights[i].weight)
        nn.init.zeros_(network.weights[i].bias)
    for i in network.started("zero"):
        nn.init.zeros_(network.weights[i].weight)
        nn.init.zeros_(network.weights[i].bias)


@torch.no_grad()
def wake(network: Network, x: Tensor) -> int:
    """Begins anew, softly, the units of ReLUs that nothing in `x` wakes: no gradient would. Returns how many."""
    outputs, woken = [x], 0
    for i, layer in enumerate(network.layers):
        x = outputs[layer.get("from", i - 1) + 1]
        asleep = network.run(i, layer, x, outputs).amax((0, 2, 3)) <= 0 if layer.get("relu") else None
        if asleep is not None and asleep.any():
            part, mean, spread = (
                network.weights[str(i)],
                x.mean((0, 2, 3), True),
                x.std((0, 2, 3), keepdim=True),
            )
            if str(i) in network.pixel_readers:  # they see whitened blocks
                mean, spread = torch.zeros_like(mean), torch.ones_like(spread)
            fresh = 0.1 * nn.init.kaiming_normal_(torch.empty_like(part.weight)) / spread.clamp_min(0.1)
            part.weight[asleep] = fresh[asleep]
            part.bias[asleep] = -(fresh * mean).sum((1, 2, 3))[asleep]
            woken += int(asleep.sum())
        outputs.append(network.run(i, layer, x, outputs))
    return woken


def sources_of_output(network: Network) -> list[str]:
    """The convolutions whose outputs add up to the network's last one."""
    found, i = [], len(network.layers) - 1
    while i is not None:
        found.append(str(i))
        i = network.layers[i].get("add")
    return found


def readers_of_input(network: Network) -> list[str]:
    return [i for i in network.weights if network.layers[int(i)].get("from", int(i) - 1) == -1]


def ends_of_decoder(network: Network) -> list[str]:
    """The convolutions whose outputs, spread in space, add up to the picture."""
    return network.started("synthesis") + [
        i for i in network.started("zero") if not network.layers[int(i)]["relu"]
    ]


@torch.no_grad()
def fold_whitening(network: Network) -> None:
    """Rewrites the layers that read pixels for pixels as they are."""
    folded = {i: network.affine(i) for i in network.pixel_readers}
    for i, (weight, bias) in folded.items():
        network.weights[i].weight.copy_(weight)
        network.weights[i].bias.copy_(bias)
    if folded:
        network.whitening.copy_(torch.eye(BLOCK_SIZE))
        network.centre.zero_()


@torch.no_grad()
def round_weights(network: Network) -> None:
    """Makes weights whole multiples of their int8 steps: what training has come to count on, in float32 too."""
    for i, part in network.weights.items():
        steps = weight_steps(part.weight, network.source(int(i))["op"] == "input")
        part.weight.copy_((part.weight / steps).round() * steps)
        network.int8.steps[i] = steps


@torch.no_grad()
def fold_units(encoder: Network, decoder: Network) -> None:
    """From units of 16 grey levels to RGB 0..1 at both ends; latents and scales keep their unit."""
    for i in encoder.pixel_readers:
        encoder.weights[i].weight.mul_(255 / UNIT)
    for i in ends_of_decoder(decoder):
        decoder.weights[i].weight.mul_(UNIT / 255)
        decoder.weights[i].bias.mul_(UNIT / 255)


@torch.no_grad()
def sort_channels(encoder: Network, decoder: Network, order: Tensor) -> None:
    """Renumbers the latent channels; channel i becomes what channel order[i] was."""
    for i in sources_of_output(encoder):
        for tensor in (encoder.weights[i].weight, encoder.weights[i].bias):
            tensor.copy_(tensor[order].clone())
    for i in readers_of_input(decoder):
        tensor = decoder.weights[i].weight
        tensor.copy_(tensor[:, order].clone())
