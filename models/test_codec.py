#!/usr/bin/python3
"""Holds the networks, the model file and the golden tensors to each other: `python3 test_codec.py`."""

import json
import unittest
import zlib
from pathlib import Path

import numpy as np
import torch

import model_file
import reading
from codec import BLOCK_SIZE, CHANNELS, SCALE_MAX, SCALE_MIN, pair, quantise
from codec import fold_units, fold_whitening, sort_channels, start_as_pca, to_depth, to_space, wake
from restoration import restored
from quality import blocking, ssim
from quantised import weight_steps
from rate import pack, unpack

HERE = Path(__file__).parent
MODEL, GOLDEN = HERE / "latentdesk-lite.safetensors", HERE / "golden" / "lite.safetensors"
torch.set_grad_enabled(False)


class Layers(unittest.TestCase):
    def test_depth_to_space_is_in_dcr_order(self):
        channels = torch.arange(2 * 2 * 3.0).reshape(1, 12, 1, 1)  # channel = (dy * 2 + dx) * 3 + c
        self.assertEqual(to_space(channels, 2)[0, 1].tolist(), [[1, 4], [7, 10]])
        self.assertTrue(torch.equal(to_depth(to_space(channels, 2), 2), channels))

    def test_shapes_and_cost(self):
        for name, limit in (("lite", 2000), ("full", 20000)):
            encoder, decoder = pair(name)
            latents = encoder(torch.rand(2, 3, 24, 40))
            self.assertEqual(list(latents.shape), [2, CHANNELS, 3, 5])
            self.assertEqual(list(decoder(latents).shape), [2, 3, 24, 40])
            self.assertLessEqual(encoder.macs_per_pixel(1), limit)
            self.assertLessEqual(decoder.macs_per_pixel(8), limit)

    def test_starts_as_an_exact_transform(self):
        for name in ("lite", "full"):
            encoder, decoder = pair(name)
            flat = torch.rand(500, 150) @ torch.randn(150, BLOCK_SIZE)  # what 160 channels can hold entirely
            start_as_pca(encoder, decoder, flat)
            image = to_space(flat.T.reshape(1, BLOCK_SIZE, 20, 25), 8)
            torch.testing.assert_close(decoder(encoder(image)), image, rtol=1e-3, atol=1e-2)

    def test_full_reads_lite_once_they_share_a_transform(self):
        blocks = torch.rand(500, BLOCK_SIZE)
        image = torch.rand(1, 3, 32, 40)
        pairs = [pair("lite"), pair("full")]
        for encoder, decoder in pairs:
            start_as_pca(encoder, decoder, blocks)
        ours, crossed = pairs[0][1](pairs[0][0](image)), pairs[1][1](pairs[0][0](image))
        torch.testing.assert_close(ours, crossed, rtol=1e-3, atol=1e-3)

    def test_folding_and_sorting_change_no_pixel(self):
        encoder, decoder = pair("lite")
        start_as_pca(encoder, decoder, torch.rand(500, BLOCK_SIZE) * 16)
        for part in [*encoder.parameters(), *decoder.parameters()]:
            part.add_(torch.randn_like(part) * 0.01)
        image = torch.rand(1, 3, 32, 32)
        before = decoder(encoder(image * 255 / 16)) * 16 / 255
        fold_whitening(encoder)
        sort_channels(encoder, decoder, torch.randperm(CHANNELS))
        fold_units(encoder, decoder)
        torch.testing.assert_close(decoder(encoder(image)), before, rtol=1e-3, atol=1e-4)

    def test_dead_units_wake_softly(self):
        _, decoder = pair("lite")
        part, latents = decoder.weights["3"], torch.randn(2, CHANNELS, 8, 8)
        part.weight[5:15].zero_()
        part.bias[5:15] = -1
        before = decoder(latents)
        self.assertGreaterEqual(wake(decoder, latents), 10)
        self.assertGreater(part.weight[5:15].abs().amin((1, 2, 3)).min(), 0)
        self.assertEqual(wake(decoder, latents), 0)
        self.assertLess((decoder(latents) - before).std(), 0.2 * before.std())

    def test_rounding_has_a_dead_zone(self):
        steps = torch.tensor([0.0, 0.59, -0.61, 0.79, -0.81, 1.6, 126.6, 900.0, -900.0])
        q = quantise(steps[None, None, None].expand(1, CHANNELS, 1, 9) * 3, 3.0)
        self.assertEqual(q[0, 0, 0].tolist(), [0, 0, -1, 1, -1, 2, 127, 127, -127])
        for rare in (96, CHANNELS - 1):
            self.assertEqual(q[0, rare, 0].tolist(), [0, 0, 0, 0, -1, 2, 127, 127, -127])
        self.assertEqual(quantise(torch.full((1, CHANNELS, 1, 1), 0.7), 1.0).sum(), 48)

    def test_imitated_8_bits_are_those_of_integers(self):
        encoder, _ = pair("lite")
        encoder.int8.on = True
        encoder.int8.top("2").fill_(1.7)
        pixels = torch.randint(0, 256, (1, BLOCK_SIZE, 2, 3)).float()
        part = encoder.weights["2"]
        ours = encoder.int8.activation("2", torch.relu(encoder.run(2, encoder.layers[2], pixels / 255, [])))
        steps = weight_steps(part.weight, of_latents=False)
        sums = torch.conv2d(pixels.double(), (part.weight / steps).round().double()).float()
        exact = sums * steps.reshape(1, -1, 1, 1) / 255 + part.bias.reshape(1, -1, 1, 1)
        whole = (exact.relu() / (1.7 / 255)).round().clamp(max=255)
        self.assertLessEqual((ours / (1.7 / 255) - whole).abs().max(), 1)
        self.assertGreater(whole.amax(), 20)


class Measures(unittest.TestCase):
    def test_packing_loses_nothing(self):
        rng = np.random.default_rng(1)
        falling = 9 * np.exp(-np.arange(CHANNELS) / 20)[:, None, None] * rng.random((1, 9, 13)) ** 2
        q = (rng.laplace(size=(CHANNELS, 9, 13)) * falling).round().clip(-127, 127).astype(np.int8)
        for latents in (q, np.zeros_like(q), np.full_like(q, -127)):
            self.assertTrue(np.array_equal(unpack(pack(latents), latents.shape), latents))

    def test_restoration_is_that_of_the_programs(self):
        """The same picture and the same sum are in tests/restoration_test.cpp."""
        state, samples = 1, []
        for i in range(70 * 44 * 4):
            state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
            x, y = i // 4 % 70 // 8, i // 280 // 8
            samples.append(255 if i % 4 == 3 else (x * 37 + y * 11) % 64 * 3 + (state >> 24) % 12)
        image = torch.tensor(samples, dtype=torch.float32).reshape(44, 70, 4).permute(2, 0, 1)[None]
        blocks = torch.arange(54).reshape(1, 1, 6, 9) % 5 < 2
        drawn = blocks.repeat_interleave(8, 2).repeat_interleave(8, 3)[..., :44, :70]
        image[:, :3] = restored(image[:, :3], 2.5, drawn, whole=True)
        total = 2166136261
        for byte in image[0].permute(1, 2, 0).flatten().int().tolist():
            total = ((total ^ byte) * 16777619) & 0xFFFFFFFF
        self.assertEqual(total, 2439776630)

    def test_error_rate_counts_edits(self):
        for read, rate in (
            ("abcd", 0),
            ("abd", 0.25),
            ("xabcd", 0.25),
            ("abxd", 0.25),
            ("", 1),
            ("a b\ncd", 0.5),
        ):
            self.assertEqual(reading.error_rate(read, "abcd"), rate)

    def test_blocks_and_differences_show(self):
        even = np.arange(64)
        for row, ratio in (
            (even, 1),
            (even // 8 * 8 + even % 8 // 2, 35 / 3),
        ):  # steps of 3/7 inside, 5 across
            picture = (row[None, :] + row[:, None]).astype(np.uint8)[..., None].repeat(3, 2)
            self.assertAlmostEqual(blocking(picture, 8), ratio, places=3)
        image = torch.rand(1, 3, 64, 64) * 255
        self.assertAlmostEqual(ssim(image, image), 1, places=6)
        self.assertLess(ssim(image, 255 - image), 0.1)


class ModelFile(unittest.TestCase):
    def setUp(self):
        self.encoder, self.decoder, self.metadata = model_file.read_model(MODEL)

    def test_layers_are_those_of_the_code(self):
        for network, side, ours in zip((self.encoder, self.decoder), ("encoder", "decoder"), pair("lite")):
            stored = json.loads(self.metadata[side])
            for layer, wanted in zip(stored, model_file.layers_for_file(ours, side)):
                self.assertEqual(layer.pop("output_step", 1) > 0, True)
                wanted.pop("output_step", None)
                self.assertEqual(layer, wanted)
            self.assertEqual(len(stored), len(ours.layers))
            for i, part in ours.weights.items():
                self.assertEqual(network.weights[i].weight.shape, part.weight.shape)

    def test_8_bits_lose_little(self):
        golden, _, _ = model_file.read(GOLDEN)
        image = torch.from_numpy(golden["1.image"].copy()).permute(2, 0, 1)[None].float() / 255
        errors = []
        for on in (False, True):
            self.encoder.int8.on = self.decoder.int8.on = on
            q = quantise(self.encoder(image), 2.0)
            errors.append((self.decoder(q * 2.0) - image).square().mean().item())
        self.assertNotEqual(errors[0], errors[1])
        self.assertLess(errors[1] / errors[0], 1.08)  # 0.33 dB

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
            [SCALE_MIN, SCALE_MAX],
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
        model = onnx.load(str(HERE / "latentdesk-lite.decoder.onnx"))
        self.assertEqual(model.producer_version, "{name}-{version}.{hash}".format(**self.metadata))
        graph = model.graph
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
