"""The comparison as a Markdown table."""

from peer import Measured

ANCHOR = "x264 4:4:4 CRF 23"
HEAD = """| recording | codec | first frame, kB | ratio | later frames, kB | ratio | PSNR, dB | |
|---|---|---:|---:|---:|---:|---:|---|"""


def line(recording: str, name: str, measured: Measured, anchor: Measured) -> str:
    cells = [recording, name]
    for size, reference in (
        (measured.first_bytes, anchor.first_bytes),
        (measured.later_bytes, anchor.later_bytes),
    ):
        cells += [f"{size / 1000:.1f}", f"{size / reference:.2f}" if reference else "-"]
    return f"| {' | '.join([*cells, f'{measured.psnr:.2f}', measured.note])} |"


def markdown(results: dict[str, dict[str, Measured]]) -> str:
    """Ratios are to the ANCHOR's bytes on the same recording."""
    lines = [HEAD]
    for recording, row in results.items():
        lines += [line(recording, name, measured, row[ANCHOR]) for name, measured in row.items()]
    return "\n".join(lines)
