#!/usr/bin/python3
"""Each message of the README's troubleshooting table is provoked, and printed as it stands there: troubleshooting_test.py README.md BIN_DIR"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

README, BIN = Path(sys.argv[1]).read_text(), Path(sys.argv[2]).resolve()
MODEL = Path(sys.argv[1]).resolve().parent / "models/latentdesk-lite.safetensors"
SERVER, VIEWER = BIN / "latentdesk-server", BIN / "latentdesk-viewer"
PATTERN = ("--source", "pattern", "--size", "320x200", "--device", "cpu")
HAS_CUDA = (BIN / "latentdesk-cuda.so").exists()
PATIENCE = 30


def table() -> list[str]:
    section = re.search(r"^## When it does not work\n(.*?)(?=^## )", README, re.M | re.S)[1]
    return re.findall(r"^\| `(.*?)` \|", section, re.M)


def matches(message: str, output: str) -> bool:
    """`…` stands for something; a message that names its program is the whole line."""
    expression = ".+".join(re.escape(part) for part in message.split("…"))
    return (
        re.search(f"^{expression}$" if message.startswith("latentdesk-") else expression, output, re.M)
        is not None
    )


class Troubleshooting(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.environment = {
            **os.environ, "LATENTDESK_MODEL": str(MODEL), "XDG_STATE_HOME": folder.name, "XDG_DATA_HOME": folder.name,
        }  # fmt: skip
        for name in ("DISPLAY", "XAUTHORITY", "LATENTDESK_TOKEN"):
            self.environment.pop(name, None)

    def start(self, *command, **environment) -> subprocess.Popen:
        log = open(self.folder / f"{Path(command[0]).name}.log", "w")
        process = subprocess.Popen(
            command, env={**self.environment, **environment}, stdout=log, stderr=subprocess.STDOUT
        )
        log.close()
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def output(self, command) -> str:
        return (self.folder / f"{Path(command).name}.log").read_text()

    def start_server(self, *options, **environment) -> str:
        """Its address."""
        self.start(SERVER, "--listen", "127.0.0.1:0", *options, **environment)
        return "127.0.0.1:" + self.wait_for(SERVER, r"listening on 127\.0\.0\.1:(\d+)")

    def wait_for(self, command, expression: str) -> str:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if found := re.search(expression, self.output(command)):
                return found[1]
            time.sleep(0.05)
        self.fail(f"no '{expression}' in:\n{self.output(command)}")

    def run_to_end(self, *command, **environment) -> str:
        process = self.start(*command, **environment)
        self.assertEqual(process.wait(PATIENCE), 1, f"{command}\n{self.output(command[0])}")
        return self.output(command[0])

    # --- one for each row; what it prints is compared with the row ---

    def no_driver(self) -> str:
        self.start(SERVER, "--source", "pattern", "--listen", "127.0.0.1:0")
        self.wait_for(SERVER, "(listening on)")
        return self.output(SERVER)

    def no_driver_but_demanded(self) -> str:
        return self.run_to_end(SERVER, "--source", "pattern", "--device", "cuda", "--listen", "127.0.0.1:0")

    def no_cuda_backend(self) -> str:
        for name in ("latentdesk-server", "latentdesk-cpu.so"):
            shutil.copy(BIN / name, self.folder)
        return self.run_to_end(
            self.folder / "latentdesk-server",
            "--source",
            "pattern",
            "--device",
            "cuda",
            "--listen",
            "127.0.0.1:0",
        )

    def no_display(self) -> str:
        return self.run_to_end(SERVER, "--device", "cpu", "--display", ":9999", "--listen", "127.0.0.1:0")

    def no_xvfb(self) -> str:
        return self.run_to_end(
            SERVER, "--start-display", "320x200", "--listen", "127.0.0.1:0", PATH=str(self.folder)
        )

    def refused(self) -> str:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))  # and nobody listens
            return self.run_to_end(
                VIEWER,
                "--headless",
                "--no-decode",
                "--seconds",
                "0.5",
                f"ws://127.0.0.1:{unused.getsockname()[1]}",
            )

    def port_taken(self) -> str:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            return self.run_to_end(SERVER, *PATTERN, "--listen", f"127.0.0.1:{taken.getsockname()[1]}")

    def token_needed(self) -> str:
        self.start(
            SERVER,
            *PATTERN,
            "--listen",
            "0.0.0.0:0",
            "--tls-self-signed",
            LATENTDESK_TOKEN="correct-horse-battery",
        )
        port = self.wait_for(SERVER, r"listening on 0\.0\.0\.0:(\d+)")
        return self.run_to_end(
            VIEWER, "--headless", "--no-decode", "--seconds", "10", f"wss://{own_address()}:{port}"
        )

    def other_model(self) -> str:
        address = self.start_server(*PATTERN)
        other = self.folder / "other.safetensors"
        other.write_bytes(re.sub(rb'("version": *)"[0-9]"', rb'\1"0"', MODEL.read_bytes(), count=1))
        return self.run_to_end(
            VIEWER, "--headless", "--no-decode", "--seconds", "1", "--model", other, f"ws://{address}"
        )

    def no_shared_memory(self) -> str:
        reader, writer = os.pipe()
        xvfb = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writer), "-screen", "0", "320x200x24", "-extension", "MIT-SHM"],
            pass_fds=[writer], stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.addCleanup(xvfb.wait)
        self.addCleanup(xvfb.terminate)
        os.close(writer)
        with os.fdopen(reader) as number:
            display = ":" + number.readline().strip()
        self.start_server("--device", "cpu", "--display", display)
        self.wait_for(SERVER, "(capturing)")
        return self.output(SERVER)

    def test_every_row(self):
        provokers = [
            self.no_driver, self.no_driver_but_demanded, self.no_cuda_backend, self.no_display, self.no_xvfb, self.refused,
            self.port_taken, self.token_needed, self.other_model, self.no_shared_memory,
        ]  # fmt: skip
        rows = table()
        self.assertEqual(len(rows), len(provokers), "each row of the table has its provocation")
        for message, provoke in zip(rows, provokers):
            with self.subTest(message):
                self.provoke(message, provoke)

    def provoke(self, message: str, provoke) -> None:
        if "there is no NVIDIA driver" in message and not without_driver():
            print(f"not provoked, since this machine has a driver or this build no GPU backend: {message}")
            return
        output = provoke()
        self.assertTrue(matches(message, output), f"not printed:\n{message}\n--- but:\n{output}")


def without_driver() -> bool:
    try:
        subprocess.run(
            [sys.executable, "-c", "import ctypes; ctypes.CDLL('libcuda.so.1')"],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        return False
    except subprocess.CalledProcessError:
        return HAS_CUDA


def own_address() -> str:
    """Of this machine beyond loopback, where the server knows the user of no peer; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return probe.getsockname()[0]


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
