"""What a peer is and what is measured of it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

FPS = 15


@dataclass(frozen=True)
class Clip:
    """A recording of packed BGR0 frames."""

    path: Path
    width: int
    height: int


@dataclass
class Measured:
    first_bytes: int
    later_bytes: int  # of all frames after the first
    psnr: float  # RGB, dB, of what a viewer shows at each frame
    note: str = ""

    def as_json(self) -> dict:
        return asdict(self)


@dataclass(frozen=True)
class Peer:
    family: str  # what --peers names
    name: str
    measure: Callable[[Clip], Measured]
    programs: tuple[str, ...]  # that must be there
    key: str  # what the result depends on, besides the recording
