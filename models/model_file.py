"""Reads and writes the model file: safetensors with the layers of both networks in its metadata.

    u64 little-endian length of the header | JSON header | data: the tensors without holes

The header names each tensor's dtype, shape and place in the data; its `__metadata__` holds strings only:
format, name, version, latent_channels, stride, scale_min, scale_max, crc32 (of the data), hash (first 16 hex
digits of SHA-256 over encoder, decoder and data), encoder and decoder (JSON arrays of layers), origin. A
convolution may have what 8-bit arithmetic takes: the tensor `weight_steps`, the worth of one unit of an int8
weight in each output channel, and `output_step`, the worth of one unit of its output as uint8.
"""

import hashlib
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import torch

from codec import Network

TYPES = {"F32": np.dtype("<f4"), "U8": np.dtype("u1"), "I8": np.dtype("i1")}
NAMES = {kind: name for name, kind in TYPES.items()}


def write(path: Path, tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    header, start = {"__metadata__": metadata}, 0
    for name, tensor in tensors.items():
        end = start + tensor.nbytes
        header[name] = {
            "dtype": NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
        start = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data_of(tensors))


def data_of(tensors: dict[str, np.ndarray]) -> bytes:
    return b"".join(np.ascontiguousarray(t).tobytes() for t in tensors.values())


def read(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str], bytes]:
    """The tensors, the metadata and the raw data."""
    raw = path.read_bytes()
    length = struct.unpack("<Q", raw[:8])[0]
    header, data = json.loads(raw[8 : 8 + length]), raw[8 + length :]
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        tensors[name] = np.frombuffer(data[first:last], TYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors, metadata, data


def layers_for_file(network: Network, side: str) -> list[dict]:
    """The layers as the file has them: a convolution names its tensors instead of its shape."""
    layers = []
    for i, layer in enumerate(network.layers):
        stored = {name: value for name, value in layer.items() if name not in ("shape", "start")}
        if layer["op"] == "conv":
            stored |= {name: f"{side}.{i}.{name}" for name in ("weight", "bias", "weight_steps")}
        if layer.get("relu"):
            stored["output_step"] = network.int8.top(str(i)).item() / 255
        layers.append(stored)
    return layers


def model_tensors(encoder: Network, decoder: Network) -> dict[str, np.ndarray]:
    """Weights and biases; and the steps of the weights as int8, which is what 8-bit arithmetic makes of them."""
    tensors = {}
    for side, network in (("encoder", encoder), ("decoder", decoder)):
        for i, part in network.weights.items():
            tensors[f"{side}.{i}.weight"] = part.weight.detach().float().cpu().numpy()
            tensors[f"{side}.{i}.bias"] = part.bias.detach().float().cpu().numpy()
            tensors[f"{side}.{i}.weight_steps"] = network.int8.steps[i].flatten().float().cpu().numpy()
    return tensors


def write_model(path: Path, encoder: Network, decoder: Network, about: dict[str, str]) -> dict[str, str]:
    """`about`: the metadata that the networks do not know. Returns all of it."""
    tensors = model_tensors(encoder, decoder)
    data = data_of(tensors)
    layers = {
        side: json.dumps(layers_for_file(net, side))
        for side, net in (("encoder", encoder), ("decoder", decoder))
    }
    checks = {
        "crc32": f"{zlib.crc32(data):08x}",
        "hash": model_hash(layers["encoder"], layers["decoder"], data),
    }
    metadata = {"format": "latentdesk.model.1", **about, **checks, **layers}
    write(path, tensors, metadata)
    return metadata


def model_hash(encoder: str, decoder: str, data: bytes) -> str:
    return hashlib.sha256(encoder.encode() + decoder.encode() + data).hexdigest()[:16]


def read_model(path: Path) -> tuple[Network, Network, dict[str, str]]:
    """Both networks (RGB 0..1) as the file describes them, and its metadata."""
    tensors, metadata, data = read(path)
    if metadata["hash"] != model_hash(metadata["encoder"], metadata["decoder"], data):
        raise ValueError(f"{path} is damaged: its hash does not fit its content")
    networks = [network_from(json.loads(metadata[side]), tensors) for side in ("encoder", "decoder")]
    return networks[0], networks[1], metadata


def network_from(layers: list[dict], tensors: dict[str, np.ndarray]) -> Network:
    shaped = [
        layer | {"shape": list(tensors[layer["weight"]].shape)} if layer["op"] == "conv" else layer
        for layer in layers
    ]
    network = Network(shaped).eval()
    for i, layer in enumerate(layers):
        if layer["op"] == "conv":
            part = network.weights[str(i)]
            part.weight.data = torch.from_numpy(tensors[layer["weight"]].copy())
            part.bias.data = torch.from_numpy(tensors[layer["bias"]].copy())
            steps = torch.from_numpy(tensors[layer["weight_steps"]].copy())
            network.int8.steps[str(i)] = steps.reshape(-1, 1, 1, 1)
        if layer.get("relu"):
            network.int8.top(str(i)).fill_(layer["output_step"] * 255)
    return network.requires_grad_(False)
