"""Video codecs as ffmpeg runs them."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from peer import FPS, Clip, Measured, Peer
from raw_video import psnr, read_frames

ACCURATE = "flags=accurate_rnd+full_chroma_int+full_chroma_inp"
X264 = "-c:v libx264 -preset ultrafast -tune zerolatency -crf {crf}"
# Constant quality, real time, and every tool for screens that libaom has.
AV1 = (
    "-c:v libaom-av1 -usage realtime -cpu-used 8 -crf {crf} -b:v 0 -lag-in-frames 0 -row-mt 1 -threads 2 "
    "-aom-params tune-content=screen:enable-palette=1:enable-intrabc=1"
)
MJPEG = "-c:v mjpeg -q:v {q} -huffman optimal"


def raw_input(clip: Clip) -> list[str]:
    return f"-f rawvideo -pix_fmt bgr0 -s {clip.width}x{clip.height} -r {FPS} -i".split() + [str(clip.path)]


def encode(clip: Clip, codec: str, pixels: str, range_: str, out: Path) -> None:
    convert = f"scale=out_color_matrix=bt709:out_range={range_}:{ACCURATE},format={pixels}"
    signal = f"-color_range {range_} -colorspace bt709".split()
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-y",
        *raw_input(clip),
        "-vf",
        convert,
        *codec.split(),
        *signal,
        str(out),
    ]
    subprocess.run(command, check=True)


def packet_sizes(path: Path) -> list[int]:
    """Bytes of each frame in a stream without a container."""
    command = ["ffprobe", "-v", "error", "-show_entries", "packet=size", "-of", "csv=p=0", str(path)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return [int(line.rstrip(",")) for line in lines]


def decode(path: Path, clip: Clip, range_: str) -> Iterator[np.ndarray]:
    """Frames of BGR0."""
    convert = f"scale=in_color_matrix=bt709:in_range={range_}:{ACCURATE},format=bgr0"
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-fps_mode", "passthrough", "-vf", convert]
    with subprocess.Popen([*command, "-f", "rawvideo", "-"], stdout=subprocess.PIPE) as decoder:
        frame_bytes = clip.width * clip.height * 4
        while pixels := decoder.stdout.read(frame_bytes):
            yield np.frombuffer(pixels, np.uint8).reshape(clip.height, clip.width, 4)
    if decoder.returncode:
        raise RuntimeError(f"ffmpeg could not decode {path}")


def measure(clip: Clip, codec: str, pixels: str, range_: str, ending: str) -> Measured:
    original = read_frames(clip.path, clip.width, clip.height)
    with tempfile.TemporaryDirectory() as folder:
        stream = Path(folder) / f"stream.{ending}"
        encode(clip, codec, pixels, range_, stream)
        sizes = packet_sizes(stream)
        if len(sizes) != len(original):
            raise RuntimeError(f"{codec}: {len(sizes)} packets for {len(original)} frames")
        return Measured(sizes[0], sum(sizes[1:]), psnr(original, decode(stream, clip, range_)))


def video_peer(name: str, codec: str, pixels: str, ending: str, range_: str = "tv") -> Peer:
    run = lambda clip: measure(clip, codec, pixels, range_, ending)
    return Peer(name.split()[0].lower(), name, run, ("ffmpeg", "ffprobe"), f"{codec} {pixels} {range_}")


def ffmpeg_peers() -> list[Peer]:
    peers = []
    for chroma, pixels in (("4:4:4", "yuv444p"), ("4:2:0", "yuv420p")):
        peers += [
            video_peer(f"x264 {chroma} CRF {q}", X264.format(crf=q), pixels, "h264") for q in (18, 23, 28)
        ]
    peers.append(video_peer("x264 4:4:4 CRF 23 full range", X264.format(crf=23), "yuv444p", "h264", "pc"))
    peers += [video_peer(f"AV1 4:4:4 CRF {q}", AV1.format(crf=q), "yuv444p", "obu") for q in (20, 32)]
    peers += [video_peer(f"MJPEG 4:4:4 q {q}", MJPEG.format(q=q), "yuvj444p", "mjpeg", "pc") for q in (2, 5)]
    return peers
