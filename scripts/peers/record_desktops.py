"""Records desktops frame by frame; run by scripts/record_desktops.sh, which checks what it needs."""

import argparse
import hashlib
import random
import time
import zlib
from pathlib import Path

from desktop import HEIGHT, WIDTH, Desktop
from recordings import RECORDINGS, Recording


def record(recording: Recording, seed: int, path: Path) -> str:
    """Writes packed BGR0 frames; returns their SHA-256."""
    rng = random.Random(zlib.crc32(f"{seed} {recording.name}".encode()))
    digest = hashlib.sha256()
    part = path.with_suffix(".part")
    with Desktop(recording.dark, recording.subpixel) as desktop, part.open("wb") as file:
        steps = recording.play(desktop, rng)
        for _ in range(recording.frames):
            next(steps)
            pixels = desktop.settle(quiet=recording.quiet).tobytes()
            digest.update(pixels)
            file.write(pixels)
        steps.close()
    part.rename(path)
    return digest.hexdigest()


def write_list(out: Path) -> None:
    """README: what lies in the folder."""
    lines = [
        f"Packed BGR0 frames of {WIDTH}x{HEIGHT}, 15 a second, as scripts/record_desktops.sh makes them.",
        "",
    ]
    for path in sorted(out.glob("*.raw")):
        lines.append(f"{path.name:20} {path.stat().st_size // (WIDTH * HEIGHT * 4):4} frames")
    (out / "README").write_text("\n".join(lines) + "\n")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--seed", type=int, required=True)
    options.add_argument("names", nargs="+")
    chosen = options.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    wanted = [r for r in RECORDINGS if r.name in chosen.names]
    for number, recording in enumerate(wanted, 1):
        print(f"[{number}/{len(wanted)}] {recording.name} ... ", end="", flush=True)
        start = time.monotonic()
        digest = record(recording, chosen.seed, chosen.out / f"{recording.name}.raw")
        print(f"{recording.frames} frames, {time.monotonic() - start:.0f} s, sha256 {digest[:16]}")
    write_list(chosen.out)


if __name__ == "__main__":
    main()
