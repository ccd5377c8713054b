"""latentdesk itself, as latentdesk-bench measures it."""

import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from peer import FPS, Clip, Measured, Peer
from raw_video import psnr, read_frames

RUNS = 7  # halvings that find one of the hundred qualities


def run_bench(bench: Path, clip: Clip, options: list[str]) -> Measured:
    original = read_frames(clip.path, clip.width, clip.height)
    with tempfile.TemporaryDirectory(dir=clip.path.parent) as folder:
        report, decoded = Path(folder) / "report.json", Path(folder) / "decoded.raw"
        source = ["--source", f"raw:{clip.path}", "--size", f"{clip.width}x{clip.height}", "--fps", str(FPS)]
        results = ["--json", str(report), "--decoded", str(decoded)]
        subprocess.run([str(bench), *source, *results, *options], check=True, stdout=subprocess.DEVNULL)
        figures = json.loads(report.read_text())
        shown = read_frames(decoded, clip.width, clip.height)
        note = " ".join(options[-2:])
        return Measured(
            figures["first_bytes"], figures["bytes"] - figures["first_bytes"], psnr(original, shown), note
        )


def lowest_quality(run: Callable[[int], Measured], wanted_psnr: float) -> Measured:
    """The result at the lowest quality that reaches a PSNR, in at most RUNS runs; at quality 100 when none does."""
    low, high, best = 1, 100, None
    while low < high:
        middle = (low + high) // 2
        measured = run(middle)
        if measured.psnr >= wanted_psnr:
            high, best = middle, measured
        else:
            low = middle + 1
    if best is None:  # 100 itself is left
        best = run(high)
        if best.psnr < wanted_psnr:
            best.note += f", below {wanted_psnr:.2f} dB"
    return best


def bench_peers(bench: Path, wanted_psnr: Callable[[Clip], float]) -> list[Peer]:
    """`wanted_psnr`: what the searched quality must reach on a recording."""
    built = f"{bench} {bench.stat().st_mtime_ns if bench.exists() else 0}"

    def plain(clip: Clip) -> Measured:
        return run_bench(bench, clip, ["--quality", "55"])

    def stream(clip: Clip) -> Measured:
        run = lambda quality: run_bench(
            bench, clip, ["--stream", "--refine", "off", "--quality", str(quality)]
        )
        return lowest_quality(run, wanted_psnr(clip))

    return [
        Peer("plain", "latentdesk, whole frames, quality 55", plain, (str(bench),), built),
        Peer("stream", "latentdesk", stream, (str(bench),), built),
    ]
