#!/usr/bin/python3
"""Trains a pair of networks: `train.py --minutes 60`; a checkpoint every minute, from which `--resume` goes on.

The last quarter of the time of `lite` belongs to the decoder alone: the encoder stays as it is, and the
decoder's bent way begins anew, for latents that do not change any more. `--decoder-only` does that to the
pair of `--resume`.

`--network full --partner lite.pt` trains the large pair for the latent space of a finished small one, so that
any decoder reads any encoder. `--slice 9` ends after nine minutes, to be resumed: the schedule is that of
`--minutes`. Steps count by what was trained, not by the clock of the machine.
"""

import argparse
import math
import time
from pathlib import Path

import torch
from torch import Tensor

from codec import (
    REACH,
    SCALE_MAX,
    SCALE_MIN,
    UNIT,
    Network,
    begin_anew,
    input_spreads,
    pair,
    quantise,
    start_as_pca,
    to_depth,
    wake,
)
from crops import Crops, heldout
from quality import ssim
from rate import Density, packed_bytes
from restoration import DRAWN_SHARE, drawn_tiles, equal_share, restored

SHAPES = [(4, 160), (24, 64)]  # crops a batch, and their size: whole pictures, and tiles that stand alone
RATE = 1.2e-3  # of Adam
EDGES = 0.15  # weight of the error of differences between neighbours: text stays crisp, blocks cost
BORDERS = 0.25  # weight of the steps across blocks in smooth areas, too small for squares to see
TYPICAL_ERROR = 0.04  # mean squared error over scale^2, see `fairness`
WAKE_EVERY = 1000  # steps
INT8_FROM = 0.8  # of each part of the training: from here on the arithmetic is that of 8 bits
DECODER_FROM = 0.75  # of the training: from here on the encoder rests
LEAK, LEAK_UNTIL = (
    0.1,
    0.6,
)  # slope of ReLUs below 0 at first, and the part of the training after which it is 0
DECODER_RATE = 1e-3
PEAK = 255 / UNIT


def as_units(pixels: Tensor) -> Tensor:
    return pixels.float() / UNIT


def errors_of(decoded: Tensor, image: Tensor) -> Tensor:
    """None where black or white is overshot: pictures end there."""
    return torch.where(decoded.clamp(0, PEAK) == image, torch.zeros_like(image), decoded - image)


def are_drawn(batch: Tensor) -> Tensor:
    """Which [n,1,1,1] of some crops are drawn by programs."""
    return (equal_share(batch) >= DRAWN_SHARE)[:, None, None, None]


def across_blocks(difference: Tensor, dim: int) -> Tensor:
    """The mean wrong step [n] from a block's last row or column to the next block's first."""
    steps = difference.diff(dim=dim)
    chosen = torch.arange(7, steps.shape[dim], 8, device=difference.device)
    return steps.index_select(dim, chosen).abs().mean((1, 2, 3))


def fairness(error: Tensor, scale: Tensor) -> Tensor:
    """Weights [n] of mean 1 that make up for half of the difference, in dB, between what images lose.

    Squares alone are all about busy text; where little is lost, blocks and slopes show the most.
    """
    weights = (TYPICAL_ERROR * scale.square() / error.detach().clamp_min(1e-5)).sqrt().clamp(0.5, 4)
    return weights / weights.mean()


class WeighedAhead(torch.autograd.Function):
    """The identity; divides gradients [n,...] by weights [n], so that only what comes after is weighed."""

    @staticmethod
    def forward(context, x: Tensor, weights: Tensor) -> Tensor:
        context.weights = weights
        return x.view_as(x)

    @staticmethod
    def backward(context, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient / context.weights.detach()[:, None, None, None], None


def batches(device: str) -> int:
    """A GPU takes larger ones."""
    return 8 if device == "cuda" else 1


class Trainer:
    def __init__(self, network: str, device: str, seed: int, data: Path):
        torch.manual_seed(seed)
        self.network, self.device, self.seed, self.data = network, device, seed, data
        self.step, self.seconds, self.cpu_seconds = 0, 0.0, 0.0
        self.partner = None
        self.decoder_only, self.began = False, 0.0  # the part of the training, and when it began, in seconds
        self.crops = Crops(data, seed)
        self.encoder, self.decoder = pair(network)
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
        spreads = [input_spreads(self.encoder, sample[:512]), input_spreads(self.decoder, latents)]
        self.damping = [
            (network.weights[i].weight, 1 / spread.clamp_min(0.3).to(self.device))
            for network, by_layer in zip((self.encoder, self.decoder), spreads)
            for i, spread in by_layer.items()
        ]
        return latents.std((0, 2, 3))

    def rest_encoder(self) -> None:
        """Begins the part in which the decoder learns alone."""
        self.decoder_only, self.began = True, self.seconds
        self.encoder.requires_grad_(False)
        self.encoder.int8.on, self.encoder.leak = self.encoder.int8.calibrated(), 0.0
        begin_anew(self.decoder)
        spreads = input_spreads(self.decoder, self.typical_latents())
        self.damping = [
            (self.decoder.weights[i].weight, 1 / spread.clamp_min(0.3).to(self.device))
            for i, spread in spreads.items()
        ]
        linear = [p for i in self.decoder.started("synthesis") for p in self.decoder.weights[i].parameters()]
        bent = [p for p in self.decoder.parameters() if all(p is not q for q in linear)]
        groups = [{"params": bent, "rate": DECODER_RATE}, {"params": linear, "rate": DECODER_RATE / 10}]
        self.optimiser = torch.optim.Adam(groups, lr=DECODER_RATE)

    @torch.no_grad()
    def typical_latents(self) -> Tensor:
        sample = as_units(self.crops.batch(192, 64).to(self.device))
        scale = (SCALE_MIN * SCALE_MAX) ** 0.5
        return quantise(self.encoder(sample), scale) * scale

    def join(self, checkpoint: Path) -> None:
        """Begins in the latent space of a finished pair, which stays as it is."""
        state = torch.load(checkpoint, map_location="cpu")
        self.partner = pair("lite")
        for ours, theirs, name in zip((self.encoder, self.decoder), self.partner, ("encoder", "decoder")):
            theirs.load_state_dict(state[name])
            theirs.to(self.device).requires_grad_(False)
            for way in ("analysis", "synthesis"):
                for i, j in zip(ours.started(way), theirs.started(way)):
                    ours.weights[i].load_state_dict(theirs.weights[j].state_dict())
        self.encoder.whitening.copy_(self.partner[0].whitening)
        self.encoder.centre.copy_(self.partner[0].centre)
        self.density.load_state_dict(state["density"])

    def train(self, minutes: float, end: float, checkpoint: Path) -> None:
        """`minutes` of training in all, of which this run ends after `end`."""
        saved, logged = time.time(), self.seconds
        while self.seconds < min(minutes, end) * 60:
            began, cpu = time.time(), time.process_time()
            done = self.seconds / minutes / 60
            if done >= self.rests_from() and not self.decoder_only:
                self.rest_encoder()
            self.set_rate(self.part_done(minutes * 60))
            if self.step % WAKE_EVERY == 0 and not self.decoder.int8.watching:
                self.wake()
            loss, bits, error = self.update()
            if self.step % 100 == 0:
                psnr = 10 * math.log10(PEAK**2 / error)
                spent = f"{self.seconds:.0f} s (CPU {self.cpu_seconds:.0f} s)"
                print(f"step {self.step} {spent} loss {loss:.3f} bpp {bits:.3f} psnr {psnr:.2f}", flush=True)
            self.step += 1
            self.seconds += time.time() - began
            self.cpu_seconds += time.process_time() - cpu
            if time.time() - saved > 60:
                self.save(checkpoint)
                saved = time.time()
            if self.seconds - logged > 480:
                self.log_heldout()
                logged = self.seconds
        self.save(checkpoint)
        self.log_heldout()

    def rests_from(self) -> float:
        """A large decoder needs all of the time, and learns to read another's latents."""
        return 1.0 if self.partner else DECODER_FROM

    def part_done(self, seconds: float) -> float:
        """0 to 1, of the part that is being trained, where all of it takes so long."""
        end = seconds if self.decoder_only else seconds * self.rests_from()
        return (self.seconds - self.began) / (end - self.began)

    @torch.no_grad()
    def wake(self) -> None:
        """Of each ReLU the units that died, as some do in time."""
        woken = wake(self.decoder, self.typical_latents())
        if not self.decoder_only:
            woken += wake(self.encoder, as_units(self.crops.batch(192, 64).to(self.device)))
        print(f"step {self.step} woke {woken} units", flush=True)

    def set_rate(self, done: float) -> None:
        """Flat for 40%, then down along a cosine. Also straightens ReLUs and turns on 8 bits when it is time."""
        factor = 0.5 + 0.5 * math.cos(math.pi * max(0.0, done - 0.4) / 0.6)
        warm = min(1.0, (self.step + 1) / 200)
        for group in self.optimiser.param_groups:
            group["lr"] = group["rate"] * max(factor, 0.003) * warm
        for network in (self.decoder,) if self.decoder_only else (self.encoder, self.decoder):
            network.leak = LEAK * max(0.0, 1 - done / LEAK_UNTIL)
            network.int8.watching = done > INT8_FROM - 0.1
            network.int8.on = done > INT8_FROM

    def update(self) -> tuple[float, float, float]:
        count, size = SHAPES[self.step % len(SHAPES)]
        batch = as_units(self.crops.batch(count * batches(self.device), size).to(self.device))
        span = math.log(SCALE_MIN), math.log(SCALE_MAX)
        scale = torch.exp(torch.empty(len(batch), device=self.device).uniform_(*span))
        # Not in bf16: near 100 its steps are half of the finest scale.
        loss, bits, error = self.decoder_loss(batch, scale) if self.decoder_only else self.loss(batch, scale)
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
        y, x = torch.randint(2, (2,)).tolist()
        quarter = latents[:, :, y::2, x::2]  # of the positions stands for all: densities take long
        noisy = quarter / step + torch.rand_like(quarter) - 0.5
        weights = torch.ones_like(scale)  # of the decoder's images, known once they are decoded
        coded = WeighedAhead.apply(latents + (quantise(latents, step) * step - latents).detach(), weights)
        bits = self.density.bits(noisy, scale) / (64 * quarter.shape[2] * quarter.shape[3])
        difference = errors_of(self.decoder(coded).float(), batch)
        error, seen = self.errors(difference)
        if self.partner:
            theirs = self.partner[0](batch).float()
            crossed = [
                self.decoder(quantise(theirs, step) * step).float(),
                self.partner[1](coded).float(),
            ]
            seen = (seen + sum(self.errors(errors_of(other, batch))[1] for other in crossed)) / 3
        trade = 26 / scale.square()
        steps = sum(across_blocks(difference, dim) for dim in (2, 3))
        weights.copy_(fairness(error, scale))
        loss = bits / trade.sqrt() + weights * (trade.sqrt() * seen + BORDERS * steps)
        saturated = (latents.abs() - 1.02 * REACH).relu().square().mean()  # int8 must hold the finest scale
        return loss.mean() + saturated, bits.mean(), error.mean()

    def decoder_loss(self, batch: Tensor, scale: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As `loss`, for latents that are as they are."""
        step = scale[:, None, None, None]
        with torch.no_grad():
            coded = quantise(self.encoder(batch), step) * step
        difference = errors_of(self.shown(coded, scale, are_drawn(batch)), batch)
        error, seen = self.errors(difference)
        steps = sum(across_blocks(difference, dim) for dim in (2, 3))
        trade = 26 / scale.square()
        loss = fairness(error, scale) * (trade.sqrt() * seen + BORDERS * steps)
        return loss.mean(), torch.zeros(()), error.mean()

    def shown(self, coded: Tensor, scale: Tensor, drawn: Tensor) -> Tensor:
        """What viewers show, but not clamped."""
        image = self.decoder(coded).float()
        clamped = image.clamp(0, PEAK)
        return image + (restored(clamped, scale, drawn, UNIT) - clamped)

    def errors(self, difference: Tensor) -> tuple[Tensor, Tensor]:
        """Mean squared error of each image, and the same with a share for differences between neighbours."""
        error = difference.square().mean((1, 2, 3))
        edges = sum(difference.diff(dim=d).square().mean((1, 2, 3)) for d in (2, 3)) / 2
        return error, (1 - EDGES) * error + EDGES * edges

    @torch.no_grad()
    def log_heldout(self) -> None:
        """Real bytes, PSNR and SSIM on two held-out frames a class."""
        for kind, frames in heldout(self.data, 2).items():
            line = []
            for scale in (0.9, 1.4, 2.4):
                results = [measure(self.encoder, self.decoder, f, scale, self.device) for f in frames]
                line.append("/".join(f"{sum(column) / len(column):.3f}" for column in zip(*results)))
            print(f"heldout {kind}: {'  '.join(line)}", flush=True)

    def save(self, path: Path) -> None:
        parts = {"encoder": self.encoder, "decoder": self.decoder, "density": self.density}
        state = {name: part.state_dict() for name, part in parts.items()}
        state["optimiser"] = self.optimiser.state_dict()
        state["damping"] = [factor for _, factor in self.damping]
        for name in ("network", "step", "seconds", "cpu_seconds", "seed", "device", "decoder_only", "began"):
            state[name] = getattr(self, name)
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def resume(self, path: Path) -> None:
        state = torch.load(path, map_location=self.device)
        if state.get("decoder_only"):
            self.rest_encoder()
            self.began = state["began"]
        for name in ("encoder", "decoder", "density", "optimiser"):
            getattr(self, name).load_state_dict(state[name])
        self.damping = [(w, f.to(self.device)) for (w, _), f in zip(self.damping, state["damping"])]
        self.encoder.int8.on = self.decoder_only and self.encoder.int8.calibrated()
        self.step, self.seconds, self.cpu_seconds = state["step"], state["seconds"], state["cpu_seconds"]
        self.crops = Crops(self.data, self.seed + self.step)


@torch.no_grad()
def measure(encoder, decoder, frame, scale: float, device: str = "cpu") -> tuple[float, float, float]:
    """Bits a pixel, PSNR and SSIM of one frame uint8 [h,w,3], for networks in training's units."""
    image = as_units(torch.from_numpy(frame).permute(2, 0, 1)[None].to(device))
    q = quantise(encoder(image), scale)
    decoded = restored(decoder(q * scale).clamp(0, PEAK), scale, drawn_tiles(image[0])[None], UNIT)
    error = (decoded - image).square().mean().item()
    bits = packed_bytes(q[0].cpu()) * 8 / (frame.shape[0] * frame.shape[1])
    return bits, 10 * math.log10(PEAK**2 / error), ssim(decoded * UNIT, image * UNIT)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--network", choices=["lite", "full"], default="lite")
    options.add_argument("--partner", type=Path, help="checkpoint of the lite pair whose latents full shares")
    options.add_argument("--minutes", type=float, default=60)
    options.add_argument("--slice", type=float, default=math.inf, help="end this run after so many minutes")
    options.add_argument("--device", default="cpu")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--data", type=Path, default=Path(__file__).parent / "dataset" / "out")
    options.add_argument("--resume", type=Path, help="go on from this checkpoint")
    options.add_argument("--checkpoint", type=Path, default=Path("lite.pt"))
    options.add_argument(
        "--decoder-only", action="store_true", help="let the encoder of --resume be as it is"
    )
    chosen = options.parse_args()
    if (chosen.network == "full") != bool(chosen.partner):
        options.error("--network full needs --partner, and lite has none")
    if chosen.decoder_only and not chosen.resume:
        options.error("--decoder-only needs the pair to be in --resume")
    torch.set_num_threads(2 if chosen.device == "cpu" else 4)
    trainer = Trainer(chosen.network, chosen.device, chosen.seed, chosen.data)
    if chosen.partner:
        trainer.join(chosen.partner)
    if chosen.resume:
        trainer.resume(chosen.resume)
    if chosen.decoder_only and not trainer.decoder_only:
        trainer.seconds, trainer.step = 0.0, 0
        trainer.rest_encoder()
    trainer.train(chosen.minutes, trainer.seconds / 60 + chosen.slice, chosen.checkpoint)


if __name__ == "__main__":
    main()
