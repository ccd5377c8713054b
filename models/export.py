#!/usr/bin/python3
"""Writes what the programs load: the model file, the decoder as ONNX and TorchScript, and the golden tensors.

`export.py lite.pt` takes a checkpoint of train.py; all lands in --out, which is here unless told otherwise.
"""

import argparse
import datetime
import os
import platform
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

import model_file
from codec import CHANNELS, SCALE_MAX, SCALE_MIN, STRIDE, Network
from codec import fold_units, fold_whitening, pair, quantise, round_weights, sort_channels
from crops import FRAMES, Crops
from train import as_units

VERSION = "3"
# what is shown, height, width, and the scale that quantises it
GOLDEN = [
    ("text-mousepad-*", 64, 64, 2.0),
    ("photo-picosdeeuropa*", 96, 160, 3.0),
    ("noise", 8, 8, 1.25),
    ("mixed-desk-*", 136, 200, 1.5),
]


def checkpoint_of(path: Path) -> tuple[Network, Network, dict]:
    """The networks as training left them."""
    state = torch.load(path, map_location="cpu")
    encoder, decoder = pair(state["network"])
    encoder.load_state_dict(state["encoder"])
    decoder.load_state_dict(state["decoder"])
    return encoder.eval().requires_grad_(False), decoder.eval().requires_grad_(False), state


@torch.no_grad()
def trained(path: Path, partner: Path | None) -> tuple[Network, Network, dict]:
    """Networks of the checkpoint for RGB 0..1; latent channels by falling activity, `partner`'s if there is one."""
    encoder, decoder, state = checkpoint_of(path)
    sample = as_units(Crops(FRAMES, seed=7).batch(256, 64))
    latents = (checkpoint_of(partner)[0] if partner else encoder)(sample)
    order = quantise(latents, 1.0).abs().mean((0, 2, 3)).argsort(descending=True)
    if not encoder.int8.calibrated():  # training ended before it came to 8 bits
        encoder.int8.watching = decoder.int8.watching = True
        decoder(encoder(sample))
        encoder.int8.watching = decoder.int8.watching = False
    fold_whitening(encoder)
    sort_channels(encoder, decoder, order)
    fold_units(encoder, decoder)
    round_weights(encoder)
    round_weights(decoder)
    return encoder, decoder, state


def about(state: dict) -> dict[str, str]:
    made = datetime.date.today().isoformat()
    machine = f"{state['device']} ({platform.machine()}, {os.cpu_count()} cores)"
    spent = f"{state['seconds'] / 60:.0f} minutes, {state['cpu_seconds'] / 60:.0f} of CPU, on {machine}"
    return {
        "name": state["network"],
        "version": VERSION,
        "latent_channels": str(CHANNELS),
        "stride": str(STRIDE),
        "scale_min": f"{SCALE_MIN:g}",
        "scale_max": f"{SCALE_MAX:g}",
        "origin": f"train.py, seed {state['seed']}; {state['step']} steps, {spent}{state.get('then', '')}; {made}; models/dataset of seed 1",
    }


class ClampedDecoder(nn.Module):
    """What a client runs: latents (int8 * scale) in, an image 0..1 out."""

    def __init__(self, decoder: Network):
        super().__init__()
        self.decoder = decoder

    def forward(self, latent: Tensor) -> Tensor:
        return self.decoder(latent).clamp(0.0, 1.0)


def write_decoders(decoder: Network, version: str, stem: Path) -> None:
    client, example = ClampedDecoder(decoder), torch.zeros(1, CHANNELS, 3, 5)
    traced = torch.jit.trace(client, example, check_inputs=[torch.rand(1, CHANNELS, 4, 2)])
    traced.save(f"{stem}.decoder.pt")
    write_onnx(decoder, version, Path(f"{stem}.decoder.onnx"))


def write_onnx(decoder: Network, version: str, path: Path) -> None:
    """Node by node from the layers, so that DepthToSpace stays one node and no shape is frozen."""
    from onnx import TensorProto, checker, helper, numpy_helper, save

    nodes, weights, image = [], [], "latent"
    name_of = lambda i: "latent" if i < 0 else f"layer{i}"
    for i, layer in enumerate(decoder.layers):
        source, image = name_of(layer.get("from", i - 1)), name_of(i)
        if layer["op"] == "depth_to_space":
            nodes.append(
                helper.make_node("DepthToSpace", [source], [image], blocksize=layer["block"], mode="DCR")
            )
            continue
        part = decoder.weights[str(i)]
        named = (("weight", part.weight), ("bias", part.bias))
        weights += [numpy_helper.from_array(tensor.numpy(), f"{i}.{name}") for name, tensor in named]
        steps = ["Conv"] + ["Add"] * ("add" in layer) + ["Relu"] * layer["relu"]
        for step in steps:
            inputs = {
                "Conv": [source, f"{i}.weight", f"{i}.bias"],
                "Add": [source, name_of(layer.get("add", -1))],
                "Relu": [source],
            }
            output = image if step == steps[-1] else f"{image}.{step.lower()}"
            size = part.kernel_size[0]
            options = {"kernel_shape": [size] * 2, "pads": [size // 2] * 4} if step == "Conv" else {}
            nodes.append(helper.make_node(step, inputs[step], [output], **options))
            source = output
    weights += [numpy_helper.from_array(np.float32(v), n) for n, v in (("zero", 0.0), ("one", 1.0))]
    nodes.append(helper.make_node("Clip", [image, "zero", "one"], ["image"]))
    tensor = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    latent, picture = tensor("latent", ["n", CHANNELS, "h", "w"]), tensor("image", ["n", 3, "8h", "8w"])
    graph = helper.make_graph(nodes, "latentdesk decoder", [latent], [picture], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="latentdesk")
    model.ir_version, model.producer_version = 7, version
    checker.check_model(model, full_check=True)
    save(model, str(path))


def golden_images() -> list[np.ndarray]:
    """Text, photograph, noise, and a window over a wallpaper, from held-out frames."""
    images, rng = [], np.random.default_rng(3)
    for name, height, width, _ in GOLDEN:
        if name == "noise":
            images.append(rng.integers(0, 256, (height, width, 3), np.uint8))
            continue
        frame = np.array(Image.open(min((FRAMES / "heldout").glob(name))))
        places = [(y, x) for y in range(100, 560, 40) for x in range(0, 1000, 40)]
        crops = [frame[y : y + height, x : x + width] for y, x in places]
        images.append(max(crops, key=np.std))
    return images


@torch.no_grad()
def write_golden(encoder: Network, decoder: Network, model_hash: str, path: Path) -> None:
    tensors: dict[str, np.ndarray] = {}
    for k, (image, (*_, scale)) in enumerate(zip(golden_images(), GOLDEN)):
        latent = encoder(torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255)
        q = quantise(latent, scale)
        decoded = decoder(q * scale)
        tensors |= {
            f"{k}.image": image,
            f"{k}.latent": latent[0].numpy(),
            f"{k}.scale": np.array([scale], np.float32),
            f"{k}.quantised": q[0].to(torch.int8).numpy(),
            f"{k}.decoded": decoded[0].contiguous().numpy(),
        }
    path.parent.mkdir(parents=True, exist_ok=True)
    model_file.write(path, tensors, {"format": "latentdesk.golden.1", "hash": model_hash})


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("checkpoint", type=Path)
    options.add_argument(
        "--partner", type=Path, help="of a full pair: the lite checkpoint it was trained beside"
    )
    options.add_argument("--out", type=Path, default=Path(__file__).parent)
    chosen = options.parse_args()
    warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)
    encoder, decoder, state = trained(chosen.checkpoint, chosen.partner)
    chosen.out.mkdir(parents=True, exist_ok=True)
    stem = chosen.out / f"latentdesk-{state['network']}"
    metadata = model_file.write_model(Path(f"{stem}.safetensors"), encoder, decoder, about(state))
    write_decoders(decoder, "{name}-{version}.{hash}".format(**metadata), stem)
    write_golden(
        encoder, decoder, metadata["hash"], chosen.out / "golden" / f"{state['network']}.safetensors"
    )
    print(f"{stem.name} {metadata['hash']}: {metadata['origin']}")


if __name__ == "__main__":
    main()
