#!/usr/bin/env python3
"""Holds baseline_client.py to the native viewer: of the same still picture, both decode the same within rounding."""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

REPOSITORY = Path(__file__).resolve().parent.parent
GOLDEN = REPOSITORY / "models" / "golden" / "lite.safetensors"
SIZE = (1280, 720)
TOLERANCE_DB = 0.5
LEAST_DB = 25  # latents of another model, or read in another order, decode to noise of 10 dB or so


def original_picture():
    """Crops of text and of photographs, which the golden tensors hold, repeated over a whole screen."""
    data = GOLDEN.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    screen = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    column = 0
    for name in ("1.image", "3.image"):
        begin, end = (start + offset for offset in header[name]["data_offsets"])
        crop = np.frombuffer(data[begin:end], np.uint8).reshape(header[name]["shape"])
        part = screen[:, column : column + SIZE[0] // 2]
        repeats = [-(-whole // piece) for whole, piece in zip(part.shape, crop.shape)]
        part[:] = np.tile(crop, repeats)[: part.shape[0], : part.shape[1]]
        column += SIZE[0] // 2
    return screen


def psnr(picture, original):
    error = np.mean((np.asarray(picture, np.float64) - original) ** 2)
    return 99 if error == 0 else 10 * np.log10(255**2 / error)


@contextmanager
def server(binaries, recording, log):
    """A server that shows the recording's one frame ten times a second; gives its URL."""
    size = f"{SIZE[0]}x{SIZE[1]}"
    command = [binaries / "latentdesk-server", "--listen", "127.0.0.1:0", "--source", f"raw:{recording}", "--loop"]
    process = subprocess.Popen([*command, "--size", size, "--fps", "10", "--threads", "1"], stdout=log, stderr=log)
    try:
        yield url_of(process, Path(log.name))
    finally:
        process.terminate()
        process.wait(10)


def url_of(process, log):
    for _ in range(100):
        if found := re.search(r"listening on (\S+)", log.read_text()):
            return f"ws://{found[1]}"
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit(f"the server did not start: {log.read_text()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binaries", type=Path, default=REPOSITORY / "build" / "release" / "bin")
    parser.add_argument("--frames", default="100", help="for the Python client to decode (default: %(default)s)")
    options = parser.parse_args()
    original = original_picture()
    with tempfile.TemporaryDirectory() as folder, open(f"{folder}/server.log", "w") as log:
        recording, native, python = (Path(folder) / name for name in ("still.bgr0", "native.png", "python.png"))
        recording.write_bytes(np.pad(original[..., ::-1], ((0, 0), (0, 0), (0, 1))).tobytes())
        with server(options.binaries, recording, log) as url:
            viewer = [options.binaries / "latentdesk-viewer", "--headless", "--baseline", "--frames", "3", "--screenshot", native, url]
            client = [sys.executable, REPOSITORY / "scripts" / "baseline_client.py", "--frames", options.frames]
            subprocess.run(viewer, check=True, timeout=120)
            subprocess.run([*client, "--save", python, "--threads", "2", url], check=True, timeout=600)
        ours, theirs = (psnr(Image.open(file).convert("RGB"), original) for file in (native, python))
    print(f"PSNR of the native viewer {ours:.2f} dB, of the Python client {theirs:.2f} dB")
    if abs(ours - theirs) > TOLERANCE_DB or min(ours, theirs) < LEAST_DB:
        raise SystemExit(f"expected at least {LEAST_DB} dB, and at most {TOLERANCE_DB} dB between the two")


if __name__ == "__main__":
    main()
