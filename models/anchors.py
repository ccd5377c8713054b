"""The codecs that ours is measured against: uint8 [h,w,3] and a setting to bytes, and what comes out."""

import io
import subprocess
from typing import Callable

import numpy as np
from PIL import Image

Coded = tuple[int, np.ndarray]
Codec = Callable[[np.ndarray, float], Coded]


def pillow(frame: np.ndarray, kind: str, **settings) -> Coded:
    file = io.BytesIO()
    Image.fromarray(frame).save(file, kind, **settings)
    return file.tell(), np.array(Image.open(file).convert("RGB"))


def jpeg_444(frame: np.ndarray, quality: float) -> Coded:
    return pillow(frame, "jpeg", quality=int(quality), subsampling=0, optimize=True)


def jpeg_420(frame: np.ndarray, quality: float) -> Coded:
    return pillow(frame, "jpeg", quality=int(quality), subsampling=2, optimize=True)


def webp(frame: np.ndarray, quality: float) -> Coded:
    return pillow(frame, "webp", quality=int(quality), method=4)


def x264(frame: np.ndarray, crf: float) -> Coded:
    """Intra, ultrafast, 4:4:4."""
    h, w, _ = frame.shape
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{w}x{h}"]
    intra = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "1", "-crf", str(crf), "-f", "h264", "-"]
    accurate = ["-sws_flags", "accurate_rnd+full_chroma_int"]
    packed = ffmpeg([*raw, "-i", "-", *accurate, "-pix_fmt", "yuv444p", *intra], frame.tobytes())
    pixels = ffmpeg(["-f", "h264", "-i", "-", *accurate, "-pix_fmt", "rgb24", "-f", "rawvideo", "-"], packed)
    return len(packed), np.frombuffer(pixels, np.uint8).reshape(h, w, 3)


def ffmpeg(arguments: list[str], data: bytes) -> bytes:
    command = ["ffmpeg", "-v", "error", *arguments]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


ANCHORS: dict[str, tuple[Codec, list[float]]] = {
    "JPEG 4:2:0": (jpeg_420, [5, 15, 35, 60, 80, 92, 97]),
    "JPEG 4:4:4": (jpeg_444, [5, 15, 35, 60, 80, 92, 97]),
    "WebP": (webp, [1, 15, 40, 65, 82, 92, 98]),
    "x264": (x264, [12, 18, 24, 30, 36, 42, 48]),
}
