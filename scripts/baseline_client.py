#!/usr/bin/env python3
"""Receives pictures from a latentdesk server and decodes them: docs/protocol.md as a program.

Needs the Python packages torch and websockets, and pillow for --save.
"""

import argparse
import asyncio
import json
import math
import struct
import time
import zlib
from pathlib import Path

import torch
import websockets

DECODER = Path(__file__).resolve().parent.parent / "models" / "latentdesk-lite.decoder.pt"


def split(message):
    """A message is the header's length (u32, big-endian), the header (JSON), the payload."""
    (length,) = struct.unpack_from(">I", message)
    return json.loads(message[4 : 4 + length]), message[4 + length :]


def unpack(header, payload):
    """The payload is one zlib stream of int8 in c, h, w order; times scale it is the decoder's input."""
    shape = (1, header["c"], header["h"], header["w"])
    inflater = zlib.decompressobj()
    values = inflater.decompress(payload, math.prod(shape) + 1)  # bounded, whatever the stream holds
    if len(values) != math.prod(shape) or not inflater.eof or inflater.unused_data:
        raise ValueError("the payload is not one zlib stream of w * h * c bytes")
    return torch.frombuffer(bytearray(values), dtype=torch.int8).reshape(shape) * header["scale"]


@torch.inference_mode()
def decode(decoder, latent, header):
    """The decoder's RGB in 0..1 becomes bytes [h, w, 3], cropped to the size of the picture."""
    image = decoder(latent)[0, :, : header["orig_h"], : header["orig_w"]]
    return (image * 255).round().clamp(0, 255).byte().permute(1, 2, 0)


def print_frame(number, fps, size, latency, decode_ms, mean_decode_ms):
    print(f"frame {number}: {fps:.1f} fps, latency {latency:.1f} ms (clocks assumed equal), {size} bytes,", end=" ")
    print(f"decode {decode_ms:.1f} ms (mean {mean_decode_ms:.1f} ms)", flush=True)


def print_summary(header, seconds, sizes, stages):
    frames, total = len(sizes), sum(sizes)
    print(f"{frames} frames of {header['orig_w']}x{header['orig_h']} in {seconds:.1f} s:", end=" ")
    print(f"{(frames - 1) / (seconds or 1):.1f} fps, {total / 1e6:.2f} MB ({total / frames:.0f} bytes a frame)")
    print(f"  {'ms':<9}{'mean':>9}{'p50':>9}{'p95':>9}{'p99':>9}")
    for name, ms in stages.items():
        ranks = [sorted(ms)[math.ceil(part * len(ms)) - 1] for part in (0.50, 0.95, 0.99)]
        row = "".join(f"{value:9.1f}" for value in (sum(ms) / len(ms), *ranks))
        print(f"  {name:<9}{row}" + ("  (clocks assumed equal)" if name == "latency" else ""))


async def read(connection, newest):
    """Reads as fast as messages come, so that none grows old in a buffer, and keeps the newest: each stands alone."""
    async for message in connection:
        if newest.full():
            newest.get_nowait()
        newest.put_nowait((message, time.perf_counter()))
    raise ConnectionError("the server ended the stream")


async def show(newest, decoder, frames):
    sizes, stages, start, printed = [], {"unpack": [], "decode": [], "latency": []}, None, 0
    for number in range(1, frames + 1):
        message, received = await newest.get()
        start = start or received
        header, payload = split(message)
        begun = time.perf_counter()
        latent = unpack(header, payload)
        unpacked = time.perf_counter()
        image = await asyncio.to_thread(decode, decoder, latent, header)  # in a thread, since reading goes on
        decoded = time.perf_counter()
        sizes.append(len(message))
        stages["unpack"].append((unpacked - begun) * 1000)
        stages["decode"].append((decoded - unpacked) * 1000)
        stages["latency"].append((time.time() - header["timestamp"]) * 1000)
        if decoded - printed >= 1:
            fps, ms = (number - 1) / (received - start or 1), stages["decode"]
            print_frame(number, fps, sizes[-1], stages["latency"][-1], ms[-1], sum(ms) / number)
            printed = decoded
    print_summary(header, received - start, sizes, stages)
    return image


async def run(options, decoder):
    newest = asyncio.Queue(1)
    # The payload is packed already, hence no compression by the WebSocket.
    async with websockets.connect(options.url, max_size=1_000_000, compression=None) as connection:
        async with asyncio.TaskGroup() as tasks:  # when reading fails, so does showing
            reader = tasks.create_task(read(connection, newest))
            image = await show(newest, decoder, options.frames)
            reader.cancel()
    return image


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", nargs="?", default="ws://127.0.0.1:8765", help="of the server (default: %(default)s)")
    parser.add_argument("--frames", type=int, default=100, help="how many to decode (default: %(default)s)")
    parser.add_argument("--save", metavar="FILE.png", help="keep the last picture")
    parser.add_argument("--decoder", default=DECODER, metavar="FILE", help="the server's model, as TorchScript")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="for decoding (default: %(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    try:
        image = asyncio.run(run(options, torch.jit.load(str(options.decoder))))
    except* (OSError, ValueError, websockets.WebSocketException) as errors:
        raise SystemExit(f"baseline_client.py: {options.url}: {errors.exceptions[0]}") from None
    if options.save:
        from PIL import Image

        Image.fromarray(image.numpy()).save(options.save)


if __name__ == "__main__":
    main()
