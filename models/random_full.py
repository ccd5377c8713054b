#!/usr/bin/python3
"""Writes a model of the `full` networks with random weights: random_full.py FILE.safetensors

For the timing of a backend only: pictures come back as noise. Needs nothing but Python. Weights keep the spread of
what passes through (He), so that fp16 neither overflows nor vanishes.
"""

import argparse
import hashlib
import json
import random
import struct
import sys
import zlib
from array import array
from pathlib import Path

CHANNELS, WIDTH = 192, 128


def conv(inputs: int, outputs: int, size: int, relu: bool = False, **links: int) -> dict:
    return {"op": "conv", "shape": [outputs, inputs, size, size], "relu": relu, **links}


def blocks(first: int) -> list[dict]:
    """Three residual blocks of two 3x3; the first is layer `first`."""
    layers = []
    for start in range(first, first + 6, 2):
        layers += [conv(WIDTH, WIDTH, 3, relu=True), conv(WIDTH, WIDTH, 3, relu=True, add=start - 1)]
    return layers


# The layers of codec.py's FULL_ENCODER and FULL_DECODER, without PyTorch.
ENCODER = [
    {"op": "space_to_depth", "block": 8},
    conv(192, CHANNELS, 1),  # the linear bypass
    conv(192, WIDTH, 3, relu=True, **{"from": 0}),
    *blocks(3),
    conv(WIDTH, CHANNELS, 1, add=1),
]
DECODER = [
    conv(CHANNELS, 192, 1),  # the linear bypass
    {"op": "depth_to_space", "block": 2},
    conv(CHANNELS, WIDTH, 1, relu=True, **{"from": -1}),
    *blocks(3),
    conv(WIDTH, 256, 1, relu=True),
    {"op": "depth_to_space", "block": 2},
    conv(64, 64, 3, relu=True),
    conv(64, 48, 3, add=1),
    {"op": "depth_to_space", "block": 4},
]


def weights_of(layer: dict) -> tuple[array, array]:
    outputs, inputs, size, _ = layer["shape"]
    spread = ((2.0 if layer["relu"] else 0.3) / (inputs * size * size)) ** 0.5
    count = outputs * inputs * size * size
    return array("f", (random.uniform(-1.7, 1.7) * spread for _ in range(count))), array(
        "f", bytes(4 * outputs)
    )


def write(path: Path) -> None:
    header, data, stored = {}, bytearray(), {}
    for side, layers in (("encoder", ENCODER), ("decoder", DECODER)):
        stored[side] = []
        for i, layer in enumerate(layers):
            entry = {name: value for name, value in layer.items() if name != "shape"}
            if layer["op"] == "conv":
                shapes = {"weight": layer["shape"], "bias": layer["shape"][:1]}
                for part, values in zip(shapes, weights_of(layer)):
                    name = entry[part] = f"{side}.{i}.{part}"
                    begin = len(data)
                    data += values.tobytes()
                    header[name] = {"dtype": "F32", "shape": shapes[part], "data_offsets": [begin, len(data)]}
            stored[side].append(entry)
    networks = {side: json.dumps(layers) for side, layers in stored.items()}
    header["__metadata__"] = {
        "format": "latentdesk.model.1", "name": "random-full", "version": "1", "stride": "8",
        "latent_channels": str(CHANNELS), "scale_min": "0.15", "scale_max": "1", "origin": "random_full.py",
        "crc32": f"{zlib.crc32(data):08x}",
        "hash": hashlib.sha256("".join(networks.values()).encode() + data).hexdigest()[:16], **networks,
    }  # fmt: skip
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    if sys.byteorder != "little":
        raise SystemExit("random_full.py: model files are little-endian, and this machine is not")
    random.seed(1)
    write(parser.parse_args().file)
