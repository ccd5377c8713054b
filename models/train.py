#!/usr/bin/python3
"""Trains the codec: `train.py --minutes 40`; a checkpoint every minute, from which `--resume` goes on."""

import argparse
import math
import time
from pathlib import Path

import torch
from torch import Tensor

from codec import REACH, SCALE_MAX, SCALE_MIN, UNIT, input_spreads, lite, quantise, start_as_pca, to_depth
from crops import FRAMES, Crops, load
from rate import Density, packed_bytes

SHAPES = [(8, 160), (48, 64)]  # crops a batch, and their size: whole pictures, and tiles that stand alone
RATE = 1.2e-3  # of Adam
FINEST = 2 * SCALE_MIN  # finer scales are not used once `refine_means` has had its way
EDGES = 0.15  # weight of the error of differences between neighbours: text stays crisp, blocks cost
PEAK = 255 / UNIT


def as_units(pixels: Tensor) -> Tensor:
    return pixels.float() / UNIT


class Trainer:
    def __init__(self, device: str, seed: int):
        torch.manual_seed(seed)
        self.device, self.seed, self.step, self.seconds = device, seed, 0, 0.0
        self.crops = Crops(FRAMES / "train", seed)
        self.encoder, self.decoder = lite()
        self.density = Density(self.start())
        for module in (self.encoder, self.decoder, self.density):
            module.to(device)
        networks = [*self.encoder.parameters(), *self.decoder.parameters()]
        groups = [{"params": networks, "rate": RATE}, {"params": self.density.parameters(), "rate": 5e-3}]
        self.optimiser = torch.optim.Adam(groups, lr=RATE)

    def start(self) -> Tensor:
        """PCA initialisation; returns how far each channel's latents spread."""
        sample = as_units(torch.cat([self.crops.batch(256, 64) for _ in range(6)]))
        blocks = to_depth(sample, 8).permute(0, 2, 3, 1).flatten(0, 2)
        start_as_pca(self.encoder, self.decoder, blocks)
        with torch.no_grad():
            latents = self.encoder(sample[:512])
        spreads = [
            input_spreads(self.encoder, sample[:512], keep={"1", "2", "6"}),
            input_spreads(self.decoder, latents, keep={"4"}),
        ]
        self.damping = [
            (network.weights[i].weight, 1 / spread.clamp_min(0.3).to(self.device))
            for network, by_layer in zip((self.encoder, self.decoder), spreads)
            for i, spread in by_layer.items()
        ]
        return latents.std((0, 2, 3))

    def train(self, minutes: float, checkpoint: Path) -> None:
        total, saved, logged = minutes * 60, time.time(), self.seconds
        while self.seconds < total:
            began = time.time()
            self.set_rate(self.seconds / total)
            loss, bits, error = self.update()
            if self.step % 100 == 0:
                psnr = 10 * math.log10(PEAK**2 / error)
                print(
                    f"step {self.step} {self.seconds:.0f} s loss {loss:.3f} bpp {bits:.3f} psnr {psnr:.2f}",
                    flush=True,
                )
            self.step += 1
            self.seconds += time.time() - began
            if time.time() - saved > 60:
                self.save(checkpoint)
                saved = time.time()
            if self.seconds - logged > 240:
                self.log_heldout()
                logged = self.seconds
        self.save(checkpoint)
        self.log_heldout()

    def set_rate(self, done: float) -> None:
        """Flat for 40%, then down along a cosine."""
        factor = 0.5 + 0.5 * math.cos(math.pi * max(0.0, done - 0.4) / 0.6)
        warm = min(1.0, (self.step + 1) / 200)
        for group in self.optimiser.param_groups:
            group["lr"] = group["rate"] * max(factor, 0.003) * warm

    def update(self) -> tuple[float, float, float]:
        batch = as_units(self.crops.batch(*SHAPES[self.step % len(SHAPES)]).to(self.device))
        span = math.log(FINEST), math.log(SCALE_MAX)
        scale = torch.exp(torch.empty(len(batch), device=self.device).uniform_(*span))
        with torch.autocast(self.device, torch.bfloat16, enabled=self.device == "cuda"):
            loss, bits, error = self.loss(batch, scale)
        self.optimiser.zero_grad()
        loss.backward()
        for group in self.optimiser.param_groups:
            torch.nn.utils.clip_grad_norm_(group["params"], 1.0)
        self.step_damped()
        return loss.item(), bits.item(), error.item()

    @torch.no_grad()
    def step_damped(self) -> None:
        """Adam's step over the spread of the input channel: the first channels are 100 times the last."""
        before = [weight.clone() for weight, _ in self.damping]
        self.optimiser.step()
        for (weight, factor), old in zip(self.damping, before):
            weight.copy_(old + (weight - old) * factor)

    def loss(self, batch: Tensor, scale: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(bpp + lambda * error) / sqrt(lambda), with the lambda of a uniform quantiser: 26 / scale^2."""
        step = scale[:, None, None, None]
        latents = self.encoder(batch).float()
        noisy = latents / step + torch.rand_like(latents) - 0.5
        rounded = latents + (quantise(latents, step) * step - latents).detach()
        decoded = self.decoder(rounded).float()
        bits = self.density.bits(noisy, scale) / (batch.shape[2] * batch.shape[3])
        error = (decoded - batch).square().mean((1, 2, 3))
        difference = decoded - batch
        edges = difference.diff(dim=2).square().mean((1, 2, 3)) + difference.diff(dim=3).square().mean(
            (1, 2, 3)
        )
        trade = 26 / scale.square()
        loss = (bits + trade * ((1 - EDGES) * error + EDGES * edges / 2)) / trade.sqrt()
        saturated = (latents.abs() - 1.02 * REACH).relu().square().mean()  # int8 must hold the finest scale
        return loss.mean() + saturated, bits.mean(), error.mean()

    @torch.no_grad()
    def log_heldout(self) -> None:
        """Real bytes and PSNR on two held-out frames a class."""
        for kind, frames in load(FRAMES / "heldout").items():
            line = []
            for scale in (0.6, 1.2, 2.4):
                results = [
                    measure(self.encoder, self.decoder, f, scale, self.device) for f in frames[1::3][:2]
                ]
                bpp, psnr = (sum(column) / len(column) for column in zip(*results))
                line.append(f"{bpp:.3f}/{psnr:.2f}")
            print(f"heldout {kind}: {'  '.join(line)}", flush=True)

    def save(self, path: Path) -> None:
        state = {
            "encoder": self.encoder,
            "decoder": self.decoder,
            "density": self.density,
            "optimiser": self.optimiser,
        }
        numbers = {
            "damping": [factor for _, factor in self.damping],
            "step": self.step,
            "seconds": self.seconds,
            "seed": self.seed,
            "device": self.device,
        }
        torch.save(
            {name: part.state_dict() for name, part in state.items()} | numbers, path.with_suffix(".part")
        )
        path.with_suffix(".part").replace(path)

    def resume(self, path: Path) -> None:
        state = torch.load(path, map_location=self.device)
        for name in ("encoder", "decoder", "density", "optimiser"):
            getattr(self, name).load_state_dict(state[name])
        self.damping = [(w, f) for (w, _), f in zip(self.damping, state["damping"])]
        self.step, self.seconds = state["step"], state["seconds"]
        self.crops = Crops(FRAMES / "train", self.seed + self.step)


@torch.no_grad()
def measure(encoder, decoder, frame, scale: float, device: str = "cpu") -> tuple[float, float]:
    """Bits a pixel and PSNR of one frame uint8 [h,w,3], for networks in training's units."""
    image = as_units(torch.from_numpy(frame).permute(2, 0, 1)[None].to(device))
    q = quantise(encoder(image), scale)
    decoded = decoder(q * scale).clamp(0, PEAK)
    error = (decoded - image).square().mean().item()
    return packed_bytes(q[0].cpu()) * 8 / (frame.shape[0] * frame.shape[1]), 10 * math.log10(
        PEAK**2 / error
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--minutes", type=float, default=40)
    options.add_argument("--device", default="cpu")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--resume", type=Path, help="go on from this checkpoint")
    options.add_argument("--checkpoint", type=Path, default=Path("lite.pt"))
    chosen = options.parse_args()
    torch.set_num_threads(2 if chosen.device == "cpu" else 4)
    trainer = Trainer(chosen.device, chosen.seed)
    if chosen.resume:
        trainer.resume(chosen.resume)
    trainer.train(chosen.minutes, chosen.checkpoint)


if __name__ == "__main__":
    main()
