"""The codec networks as data: one list of layers is what PyTorch builds, and what the model file stores.

`encoder` turns an image [n,3,h,w] into latents [n,96,h/8,w/8], which travel as int8
q = clamp(round(latent / scale), -127, 127); the decoder sees nothing but q * scale. One `scale` is the whole
quality control: the gains of the channels are fixed in the weights.

Training counts samples and latents in units of 16 grey levels, where weights, latents and Adam's steps are of
one size. `fold_units` rewrites the outer layers to RGB 0..1, which is what a model file takes and gives.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CHANNELS, STRIDE = 96, 8
BLOCK_SIZE = 3 * STRIDE * STRIDE
UNIT = 16.0  # grey levels of 0..255
SCALE_MIN, SCALE_MAX = 8 / UNIT, 88 / UNIT  # about 41 dB and 26 dB
MEANS_GAIN = 2.5  # of the finished model, see `refine_means`; its least scale is SCALE_MIN * MEANS_GAIN
REACH = 120 * SCALE_MIN  # what an int8 latent can hold at the finest scale
Layer = dict


def residual(inner: int, outer: int, start: int) -> list[Layer]:
    """x + 1x1(ReLU(3x3(x))), where x is the output of layer `start - 1`."""
    return [
        conv(outer, inner, 3, relu=True),
        conv(inner, outer, 1, add=start - 1),
    ]


def conv(inputs: int, outputs: int, size: int, relu: bool = False, **links: int) -> Layer:
    return {"op": "conv", "shape": [outputs, inputs, size, size], "relu": relu, **links}


def space_to_depth(block: int) -> Layer:
    return {"op": "space_to_depth", "block": block}


def depth_to_space(block: int, **links: int) -> Layer:
    return {"op": "depth_to_space", "block": block, **links}


LITE_ENCODER = [
    space_to_depth(8),
    conv(BLOCK_SIZE, CHANNELS, 1),
    *residual(48, CHANNELS, start=2),
    *residual(48, CHANNELS, start=4),
    conv(CHANNELS, CHANNELS, 1),
]
# The 3x3 at a quarter of the size is there so that smooth pictures show no 8x8 blocks; the bypass is linear.
LITE_DECODER = [
    *residual(48, CHANNELS, start=0),
    conv(CHANNELS, 128, 1, relu=True),
    depth_to_space(2),
    conv(CHANNELS, BLOCK_SIZE, 1, **{"from": 1}),
    depth_to_space(2),
    conv(32, 48, 3, **{"from": 3, "add": 5}),
    depth_to_space(4),
]


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
        y = self.weights[str(i)](x)
        if "add" in layer:
            y = y + outputs[layer["add"] + 1]
        return F.relu(y) if layer["relu"] else y

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


def quantise(latents: Tensor, scale: Tensor | float) -> Tensor:
    return torch.clamp(torch.round(latents / scale), -127, 127)


def lite() -> tuple[Network, Network]:
    return Network(LITE_ENCODER), Network(LITE_DECODER)


@torch.no_grad()
def start_as_pca(encoder: Network, decoder: Network, blocks: Tensor) -> None:
    """Makes `lite` a transform codec: `blocks` [n,192] are samples of 8x8 blocks in `to_depth` order.

    The residual branches and the main path of the decoder end in zeros, so training starts from PCA.
    """
    blocks = blocks.double()
    mean = blocks.mean(0)
    _, vectors = torch.linalg.eigh(torch.cov((blocks - mean).T))
    basis = vectors.flip(1)[:, :CHANNELS].T.clone()  # [96,192], strongest first
    basis[-2:] = 0  # the last two are for `split_brightness`
    projected = (blocks - mean) @ basis.T
    gain = torch.clamp(REACH / projected.abs().amax(0), max=1.0)[:, None]  # no latent may saturate
    gain[0] = 1
    # The decoder spreads in two steps, 2 then 4, so its 192 channels come in another order.
    order = to_depth(to_depth(to_space(torch.arange(BLOCK_SIZE).reshape(1, -1, 1, 1), 8), 4), 2).flatten()
    analysis, synthesis = encoder.weights, decoder.weights
    set_linear(analysis["1"], basis * gain, -(basis * gain) @ mean)
    set_linear(analysis["6"], torch.eye(CHANNELS), torch.zeros(CHANNELS))
    basis[-2:] = basis[0]
    set_linear(synthesis["4"], (basis / gain).T[order], mean[order])
    for branch in (analysis["3"], analysis["5"], synthesis["1"], synthesis["6"]):
        nn.init.zeros_(branch.weight)
        nn.init.zeros_(branch.bias)
    analysis["2"].weight.div_((projected * gain.T).std(0).clamp_min(0.1)[None, :, None, None])
    split_brightness(analysis["2"], analysis["3"])


def split_brightness(into: nn.Conv2d, back: nn.Conv2d) -> None:
    """Gives channel 0, the brightness, three times the reach of an int8; the rest goes to the last two.

    x, 0, 0 becomes clamp(x, -REACH, REACH), ReLU(x - REACH), -ReLU(-x - REACH), whose sum is x. With a
    smaller gain instead, smooth areas would shift in colour at coarse scales. A channel that rests at its
    limit costs next to nothing.
    """
    middle = into.kernel_size[0] // 2
    for unit, sign, spare in ((0, 1.0, -2), (1, -1.0, -1)):
        into.weight[unit] = 0
        into.weight[unit, 0, middle, middle] = sign
        into.bias[unit] = -REACH
        back.weight[0, unit] = -sign
        back.weight[spare, unit] = sign


def set_linear(layer: nn.Conv2d, matrix: Tensor, bias: Tensor) -> None:
    layer.weight.copy_(matrix[..., None, None])
    layer.bias.copy_(bias)


@torch.no_grad()
def input_spreads(network: Network, x: Tensor, keep: set[str]) -> dict[str, Tensor]:
    """The standard deviation of each convolution's input channels; training divides its steps by them.

    Random layers (those not in `keep`) are divided by it, so that weak channels are heard beside strong ones.
    """
    spreads, outputs = {}, [x]
    for i, layer in enumerate(network.layers):
        x = outputs[layer.get("from", i - 1) + 1]
        if layer["op"] == "conv":
            spreads[str(i)] = x.std((0, 2, 3)).clamp_min(0.1)[None, :, None, None]
            if str(i) not in keep:
                network.weights[str(i)].weight.div_(spreads[str(i)])
        outputs.append(network.run(i, layer, x, outputs))
    return spreads


@torch.no_grad()
def fold_units(encoder: Network, decoder: Network) -> None:
    """From units of 16 grey levels to RGB 0..1 at both ends; latents and scales keep their unit."""
    encoder.weights["1"].weight.mul_(255 / UNIT)
    for layer in (decoder.weights["4"], decoder.weights["6"]):
        layer.weight.mul_(UNIT / 255)
        layer.bias.mul_(UNIT / 255)


@torch.no_grad()
def sort_channels(encoder: Network, decoder: Network, order: Tensor) -> None:
    """Renumbers the latent channels; channel i becomes what channel order[i] was."""
    for tensor in latent_rows(encoder, decoder):
        tensor.copy_(tensor[order].clone())
    for tensor in latent_columns(decoder):
        tensor.copy_(tensor[:, order].clone())


@torch.no_grad()
def refine_means(encoder: Network, decoder: Network, gain: float) -> None:
    """Quantises the channels that hold a block's mean colour `gain` times as finely; the least scale rises.

    At gain 2 the PSNR at a given rate stays, at 3 photographs lose half a dB; smooth areas show far less of
    blocks and of shifted colours.
    """
    basis = decoder.weights["4"].weight.reshape(
        4, 16, 3, CHANNELS
    )  # the two steps of the place, colour, channel
    means = basis.sum((0, 1)).square().sum(0) / 64 > 0.5 * basis.square().sum((0, 1, 2))
    gains = torch.where(means, gain, 1.0)
    for tensor in latent_rows(encoder, decoder):
        tensor.mul_(gains.reshape(-1, *[1] * (tensor.dim() - 1)))
    for tensor in latent_columns(decoder):
        tensor.div_(gains[:, None, None])


def latent_rows(encoder: Network, decoder: Network) -> list[Tensor]:
    """The weights that write latents: the encoder's last layer and the decoder's residual branch."""
    return [t for layer in (encoder.weights["6"], decoder.weights["1"]) for t in (layer.weight, layer.bias)]


def latent_columns(decoder: Network) -> list[Tensor]:
    """The weights that read latents, before and after the residual branch."""
    return [decoder.weights[i].weight for i in ("0", "2", "4")]
