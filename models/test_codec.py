#!/usr/bin/python3
"""Holds the networks, the model file and the golden tensors to each other: `python3 test_codec.py`."""

import json
import unittest
import zlib
from pathlib import Path

import numpy as np
import torch

import model_file
from codec import CHANNELS, MEANS_GAIN, SCALE_MAX, SCALE_MIN, quantise, refine_means
from codec import fold_units, lite, sort_channels, start_as_pca, to_depth, to_space

HERE = Path(__file__).parent
MODEL, GOLDEN = HERE / "latentdesk-lite.safetensors", HERE / "golden" / "lite.safetensors"
torch.set_grad_enabled(False)


class Layers(unittest.TestCase):
    def test_depth_to_space_is_in_dcr_order(self):
        channels = torch.arange(2 * 2 * 3.0).reshape(1, 12, 1, 1)  # channel = (dy * 2 + dx) * 3 + c
        self.assertEqual(to_space(channels, 2)[0, 1].tolist(), [[1, 4], [7, 10]])
        self.assertTrue(torch.equal(to_depth(to_space(channels, 2), 2), channels))

    def test_shapes_and_cost(self):
        encoder, decoder = lite()
        latents = encoder(torch.rand(2, 3, 24, 40))
        self.assertEqual(list(latents.shape), [2, CHANNELS, 3, 5])
        self.assertEqual(list(decoder(latents).shape), [2, 3, 24, 40])
        self.assertLessEqual(encoder.macs_per_pixel(1), 2200)
        self.assertLessEqual(decoder.macs_per_pixel(8), 2200)

    def test_starts_as_an_exact_transform(self):
        encoder, decoder = lite()
        flat = torch.rand(500, 90) @ torch.randn(90, 192)  # what 96 channels can hold entirely
        start_as_pca(encoder, decoder, flat)
        image = to_space(flat.T.reshape(1, 192, 20, 25), 8)
        torch.testing.assert_close(decoder(encoder(image)), image, rtol=1e-3, atol=1e-2)

    def test_folding_sorting_and_refining_change_no_pixel(self):
        encoder, decoder = lite()
        image = torch.rand(1, 3, 32, 32)
        decoder.weights["4"].weight[:, 7] = 1.0  # a channel of means, so that there is one to refine
        before = decoder(encoder(image * 255 / 16)) * 16 / 255
        refine_means(encoder, decoder, 2.0)
        sort_channels(encoder, decoder, torch.randperm(CHANNELS))
        fold_units(encoder, decoder)
        torch.testing.assert_close(decoder(encoder(image)), before, rtol=1e-4, atol=1e-5)


class ModelFile(unittest.TestCase):
    def setUp(self):
        self.encoder, self.decoder, self.metadata = model_file.read_model(MODEL)

    def test_layers_are_those_of_the_code(self):
        for network, side, ours in zip((self.encoder, self.decoder), ("encoder", "decoder"), lite()):
            self.assertEqual(json.loads(self.metadata[side]), model_file.layers_for_file(ours, side))
            for name, part in ours.weights.state_dict().items():
                self.assertEqual(network.weights.state_dict()[name].shape, part.shape)

    def test_metadata(self):
        _, _, data = model_file.read(MODEL)
        self.assertEqual(self.metadata["format"], "latentdesk.model.1")
        self.assertEqual(self.metadata["crc32"], f"{zlib.crc32(data):08x}")
        self.assertEqual(
            self.metadata["hash"],
            model_file.model_hash(self.metadata["encoder"], self.metadata["decoder"], data),
        )
        self.assertEqual(
            [float(self.metadata[f"scale_{end}"]) for end in ("min", "max")],
            [SCALE_MIN * MEANS_GAIN, SCALE_MAX],
        )
        self.assertTrue(all(isinstance(value, str) for value in self.metadata.values()))

    def test_golden_tensors(self):
        golden, about, _ = model_file.read(GOLDEN)
        self.assertEqual(about["hash"], self.metadata["hash"])
        cases = {name.split(".")[0] for name in golden}
        self.assertGreaterEqual(len(cases), 4)
        for k in cases:
            image, latent, scale, quantised, decoded = (
                torch.from_numpy(golden[f"{k}.{part}"].copy())
                for part in ("image", "latent", "scale", "quantised", "decoded")
            )
            ours = self.encoder(image.permute(2, 0, 1)[None].float() / 255)[0]
            torch.testing.assert_close(ours, latent, rtol=1e-4, atol=2e-4)
            self.assertTrue(torch.equal(quantise(latent, scale).to(torch.int8), quantised))
            torch.testing.assert_close(
                self.decoder(quantised[None] * scale)[0], decoded, rtol=1e-4, atol=1e-4
            )

    def test_torchscript_decodes_the_same(self):
        client = torch.jit.load(str(HERE / "latentdesk-lite.decoder.pt"))
        latent = torch.randn(1, CHANNELS, 5, 2)
        torch.testing.assert_close(client(latent), self.decoder(latent).clamp(0, 1), rtol=1e-4, atol=1e-5)

    def test_onnx_decodes_the_same(self):
        try:
            import onnx
        except ImportError:
            self.skipTest("python3-onnx is not installed")
        graph = onnx.load(str(HERE / "latentdesk-lite.decoder.onnx")).graph
        latent = torch.randn(1, CHANNELS, 3, 4)
        torch.testing.assert_close(
            run_onnx(graph, latent), self.decoder(latent).clamp(0, 1), rtol=1e-4, atol=1e-5
        )


def run_onnx(graph, latent: torch.Tensor) -> torch.Tensor:
    """Runs the few operators that the export uses, as the ONNX specification words them."""
    from onnx import helper, numpy_helper

    values = {w.name: torch.from_numpy(np.array(numpy_helper.to_array(w))) for w in graph.initializer}
    values[graph.input[0].name] = latent
    for node in graph.node:
        inputs = [values[name] for name in node.input]
        options = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        values[node.output[0]] = {
            "Conv": lambda: torch.conv2d(*inputs, padding=options["pads"][0]),
            "Add": lambda: inputs[0] + inputs[1],
            "Relu": lambda: inputs[0].relu(),
            "Clip": lambda: inputs[0].clamp(inputs[1], inputs[2]),
            "DepthToSpace": lambda: to_space(inputs[0], options["blocksize"]),
        }[node.op_type]()
    return values[graph.output[0].name]


if __name__ == "__main__":
    unittest.main()
