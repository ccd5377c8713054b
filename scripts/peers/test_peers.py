#!/usr/bin/python3
"""Tests what scripts/compare_peers.sh is made of, on small recordings; needs ffmpeg."""

import socket
import tempfile
import threading
import unittest
from pathlib import Path

import numpy as np

from bench_peers import RUNS, lowest_quality
from compare_peers import Cache
from ffmpeg_peers import ffmpeg_peers
from peer import Clip, Measured
from raw_video import PSNR_OF_EQUAL, psnr, read_frames
from relay import Relay
from table import ANCHOR, markdown

WIDTH, HEIGHT, FRAMES = 96, 64, 4


def pictures() -> np.ndarray:
    """BGR0 frames of a smooth coloured pattern that moves."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    frames = np.zeros((FRAMES, HEIGHT, WIDTH, 4), np.uint8)
    for i in range(FRAMES):
        for channel, period in enumerate((17, 29, 41)):
            frames[i, ..., channel] = 128 + 90 * np.sin((x + 3 * i + 2 * y) / period)
    return frames


class OnRecording(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.frames = pictures()
        self.clip = Clip(self.folder / "clip.raw", WIDTH, HEIGHT)
        self.clip.path.write_bytes(self.frames.tobytes())


class RawVideo(OnRecording):
    def test_frames_come_back(self) -> None:
        np.testing.assert_array_equal(read_frames(self.clip.path, WIDTH, HEIGHT), self.frames)

    def test_a_broken_frame_is_refused(self) -> None:
        self.clip.path.write_bytes(self.frames.tobytes()[:-1])
        with self.assertRaises(ValueError):
            read_frames(self.clip.path, WIDTH, HEIGHT)

    def test_psnr(self) -> None:
        self.assertEqual(psnr(self.frames, self.frames), PSNR_OF_EQUAL)
        self.assertAlmostEqual(psnr(self.frames, self.frames + np.uint8([1, 1, 1, 0])), 48.1308, 3)
        unused = self.frames + np.uint8([0, 0, 0, 77])  # the fourth byte is no colour
        self.assertEqual(psnr(self.frames, unused), PSNR_OF_EQUAL)

    def test_psnr_of_other_frame_counts_is_refused(self) -> None:
        with self.assertRaises(ValueError):
            psnr(self.frames, self.frames[1:])


class Codecs(OnRecording):
    def test_each_is_measured(self) -> None:
        """Colours that were converted wrongly would cost far more than the codecs' own loss."""
        for peer in ffmpeg_peers():
            with self.subTest(peer.name):
                measured = peer.measure(self.clip)
                self.assertGreater(measured.first_bytes, 0)
                self.assertGreater(measured.later_bytes, 0)
                self.assertLess(measured.later_bytes, self.frames.nbytes / 8)
                self.assertGreater(measured.psnr, 30)

    def test_full_range_and_limited_range_agree(self) -> None:
        by_name = {peer.name: peer for peer in ffmpeg_peers()}
        limited, full = by_name[ANCHOR].measure(self.clip), by_name[f"{ANCHOR} full range"].measure(self.clip)
        self.assertLess(abs(limited.psnr - full.psnr), 3)

    def test_the_cache_returns_what_was_measured_of_this_recording(self) -> None:
        cache, (first, second) = Cache(self.folder / "cache"), ffmpeg_peers()[:2]
        measured = Measured(1, 2, 30.5, "note")
        cache.save(self.clip, first, measured)
        self.assertEqual(cache.load(self.clip, first), measured)
        self.assertIsNone(cache.load(self.clip, second))
        self.clip.path.write_bytes(self.frames[::-1].tobytes())
        self.assertIsNone(Cache(cache.folder).load(self.clip, first))


class Search(unittest.TestCase):
    def search(self, wanted: float) -> tuple[Measured, list[int]]:
        tried: list[int] = []

        def run(quality: int) -> Measured:
            tried.append(quality)
            return Measured(quality, quality, float(quality))

        return lowest_quality(run, wanted), tried

    def test_finds_the_lowest_quality_in_few_runs(self) -> None:
        for wanted in range(1, 101):
            found, tried = self.search(wanted)
            self.assertEqual(found.first_bytes, wanted)
            self.assertLessEqual(len(tried), RUNS)

    def test_says_when_none_suffices(self) -> None:
        found, tried = self.search(101)
        self.assertEqual(found.first_bytes, 100)
        self.assertIn("below", found.note)
        self.assertLessEqual(len(tried), RUNS)


class Relaying(unittest.TestCase):
    def test_counts_the_servers_bytes_alone(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            relay = Relay(server.getsockname()[1])

            def serve() -> None:
                connection, _ = server.accept()
                with connection:
                    connection.sendall(connection.recv(5) + b"0123456789")

            threading.Thread(target=serve, daemon=True).start()
            with socket.create_connection(("127.0.0.1", relay.port)) as client, client.makefile(
                "rb"
            ) as stream:
                client.sendall(b"hello")
                self.assertEqual(stream.read(), b"hello0123456789")
            self.assertEqual(relay.received, 15)


class Table(unittest.TestCase):
    def test_ratios_are_to_the_anchor(self) -> None:
        table = markdown({"web": {ANCHOR: Measured(1000, 4000, 40), "other": Measured(1500, 1000, 41.234)}})
        self.assertIn("| web | other | 1.5 | 1.50 | 1.0 | 0.25 | 41.23 |", table)


if __name__ == "__main__":
    unittest.main()
