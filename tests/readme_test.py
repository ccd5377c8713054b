#!/usr/bin/python3
"""The README's commands run, and its option tables say what --help says: readme_test.py README.md BIN_DIR"""

import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

README, BIN = Path(sys.argv[1]).read_text(), Path(sys.argv[2]).resolve()
PROGRAMS = ("latentdesk-server", "latentdesk-viewer", "latentdesk-bench")
# What needs another machine, a GPU, or the whole of this test suite.
NOT_RUN_HERE = ("LATENTDESK_TOKEN=", "ssh ", "vglrun", "docker ", "./scripts/", "cmake ", "ffmpeg ", "npm ", "http.server")


def section(program: str) -> str:
    return re.search(rf"^### {program}\n(.*?)(?=^##)", README, re.M | re.S)[1]


def options(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))


def help_text(program: str) -> str:
    return subprocess.run([BIN / program, "--help"], capture_output=True, text=True, check=True).stdout


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.S)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line for line in lines if not any(mark in line for mark in NOT_RUN_HERE)]


class Options(unittest.TestCase):
    def test_tables_and_help_name_the_same(self):
        for program in PROGRAMS:
            in_help = options(help_text(program).split("Options:")[1].split("Examples:")[0])
            in_readme = options(section(program))
            self.assertEqual(in_help - in_readme - {"--help", "--version"}, set(), f"{program}: not in the README")
            self.assertEqual(in_readme - options(help_text(program)), set(), f"{program}: not in --help")


class Commands(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        Path(self.folder.name, "frames.bgr0").write_bytes(os.urandom(1280 * 720 * 4))
        reader, writer = os.pipe()
        self.xvfb = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x720x24"], pass_fds=[writer], stderr=subprocess.DEVNULL
        )
        os.close(writer)
        with os.fdopen(reader) as number:
            display = ":" + number.readline().strip()
        self.environment = {**os.environ, "DISPLAY": display, "PATH": f"{BIN}:{os.environ['PATH']}", "XDG_STATE_HOME": self.folder.name}

    def tearDown(self):
        self.xvfb.terminate()
        self.xvfb.wait()
        self.folder.cleanup()

    def start(self, command: str) -> subprocess.Popen:
        process = subprocess.Popen(
            ["sh", "-c", "exec " + command], cwd=self.folder.name, env=self.environment, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.addCleanup(lambda: process.poll() is None and process.kill())
        return process

    def end(self, process: subprocess.Popen) -> None:
        process.terminate()
        output = process.communicate(timeout=20)[0]
        self.assertEqual(process.returncode, 0, f"{process.args[2]}\n{output}")

    def test_each_runs(self):
        self.assertGreaterEqual(len(commands()), 5)
        server = None
        for command in commands():
            process = self.start(command)
            if command.startswith("latentdesk-server"):
                if server:
                    self.end(server)
                server = process
                time.sleep(1.5)
                self.assertIsNone(server.poll(), f"{command} ended at once\n" + (server.stdout.read() if server.poll() else ""))
            elif command.startswith("latentdesk-viewer"):
                time.sleep(3)
                self.end(process)
            else:
                output = process.communicate(timeout=60)[0]
                self.assertEqual(process.returncode, 0, f"{command}\n{output}")
        self.end(server)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
