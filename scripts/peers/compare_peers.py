"""Measures latentdesk and its peers on recordings; run by scripts/compare_peers.sh, which names the options."""

import argparse
import hashlib
import json
import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench_peers import bench_peers
from ffmpeg_peers import ffmpeg_peers
from peer import Clip, Measured, Peer
from table import ANCHOR, markdown
from vnc_peer import vnc_peers

DEBIAN_PACKAGES = {
    "ffmpeg": "ffmpeg",
    "ffprobe": "ffmpeg",
    "Xtigervnc": "tigervnc-standalone-server",
    "vncviewer": "tigervnc-viewer",
    "Xvfb": "xvfb",
    "xdotool": "xdotool",
    "openbox": "openbox",
}


@dataclass
class Cache:
    """Results by recording, peer and options, kept in a file for each."""

    folder: Path
    digests: dict[Path, str] = field(default_factory=dict)

    def path(self, clip: Clip, peer: Peer) -> Path:
        if clip.path not in self.digests:
            with clip.path.open("rb") as file:
                self.digests[clip.path] = hashlib.file_digest(file, "sha256").hexdigest()
        text = f"{self.digests[clip.path]} {clip.width}x{clip.height} {peer.name} {peer.key}"
        return self.folder / (hashlib.sha256(text.encode()).hexdigest()[:24] + ".json")

    def load(self, clip: Clip, peer: Peer) -> Measured | None:
        path = self.path(clip, peer)
        return Measured(**json.loads(path.read_text())) if path.exists() else None

    def save(self, clip: Clip, peer: Peer, measured: Measured) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.path(clip, peer).write_text(json.dumps(measured.as_json()))


def check_programs(peers: list[Peer]) -> None:
    missing = {p for peer in peers for p in peer.programs if not shutil.which(p)}
    packages = sorted({DEBIAN_PACKAGES[p] for p in missing if p in DEBIAN_PACKAGES})
    if packages:
        sys.exit(f"missing: apt-get install {' '.join(packages)}, or scripts/install_dependencies.sh peers")
    if missing:
        sys.exit(f"missing: {' '.join(sorted(missing))}; build latentdesk-bench, or name it with --bench")


def measure_cached(clip: Clip, peer: Peer, cache: Cache, fresh: bool) -> Measured:
    measured = None if fresh else cache.load(clip, peer)
    if measured is None:
        measured = peer.measure(clip)
        cache.save(clip, peer, measured)
    return measured


def measure_all(
    clips: list[Clip], peers: list[Peer], cache: Cache, fresh: bool
) -> dict[str, dict[str, Measured]]:
    results: dict[str, dict[str, Measured]] = {}
    total, number = len(clips) * len(peers), 0
    for clip in clips:
        row = results.setdefault(clip.path.stem, {})
        for peer in peers:
            number += 1
            print(
                f"[{number}/{total}] {clip.path.stem}: {peer.name} ... ", end="", flush=True, file=sys.stderr
            )
            start = time.monotonic()
            row[peer.name] = measured = measure_cached(clip, peer, cache, fresh)
            size = f"{measured.first_bytes:,} + {measured.later_bytes:,} bytes, {measured.psnr:.2f} dB"
            print(f"{size}, {time.monotonic() - start:.0f} s", file=sys.stderr)
    return results


def parse_options() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--recordings", type=Path, required=True)
    options.add_argument("--cache", type=Path, required=True)
    options.add_argument("--bench", type=Path, required=True)
    options.add_argument("--only", default="")
    options.add_argument("--peers", default="x264,av1,mjpeg,tigervnc,plain,stream")
    options.add_argument("--size", default="1280x720")
    options.add_argument("--json", type=Path)
    options.add_argument("--fresh", action="store_true")
    return options.parse_args()


def find_clips(folder: Path, only: str, size: str) -> list[Clip]:
    width, height = map(int, size.split("x"))
    paths = sorted(folder.glob("*.raw"))
    if only:
        paths = [folder / f"{name}.raw" for name in only.split(",")]
    absent = [str(path) for path in paths if not path.exists()] or ([] if paths else [str(folder / "*.raw")])
    if absent:
        sys.exit(f"no recording {', '.join(absent)}; scripts/record_desktops.sh makes them")
    return [Clip(path, width, height) for path in paths]


def main() -> None:
    chosen = parse_options()
    clips, cache = find_clips(chosen.recordings, chosen.only, chosen.size), Cache(chosen.cache)
    video = ffmpeg_peers()
    anchor = next(peer for peer in video if peer.name == ANCHOR)
    wanted = lambda clip: measure_cached(clip, anchor, cache, False).psnr
    known = video + vnc_peers() + bench_peers(chosen.bench, wanted)
    families = chosen.peers.split(",")
    unknown = set(families) - {peer.family for peer in known}
    if unknown:
        sys.exit(f"no peer {', '.join(sorted(unknown))}; try --help")
    # The anchor is in every table, as all ratios are to it.
    peers = [peer for peer in known if peer.family in families or peer is anchor]
    check_programs(peers)
    results = measure_all(clips, peers, cache, chosen.fresh)
    print(markdown(results))
    if chosen.json:
        figures = {clip: {name: m.as_json() for name, m in row.items()} for clip, row in results.items()}
        chosen.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
