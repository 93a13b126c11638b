"""A page's commands in a real shell, and what they print held against what the page shows."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# For a machine without curl: the one thing that the pages ask of it.
CURL = """#!/usr/bin/env python3
import sys, urllib.request
print(urllib.request.urlopen(sys.argv[-1], timeout=10).read().decode(), end="")
"""
LOOKS = ("crossfade status", "crossfade releases", "curl", "cat")  # change nothing, so they may be asked again
PATIENCE = 30.0

# What differs from run to run, in the order in which it is looked for; everything else has to be as shown.
_VARIES = (
    (r"\.\.\.", r".*"),
    (r"(?<=-)[0-9a-f]{4}\b", r"[0-9a-f]{4}"),  # the end of an instance's id
    (r"127\.0\.0\.1:\d{5}\b", r"127\.0\.0\.1:\d+"),
    (r"\b\d+(?:\.\d+)? (?:ms|s|min)\b", r"[\d.]+ (?:ms|s|min)(?: [\d.]+ s)?"),
    (r"\b[1-9][\d,]* (?=request|drained|retried)", r"[\d,]+ "),
)
_VARYING = re.compile("|".join(f"({shown})" for shown, _ in _VARIES))


@dataclass(frozen=True)
class Command:
    """One `$ command` of a console block and the lines shown below it."""

    text: str
    shown: tuple[str, ...]


def commands(console: str) -> Iterator[Command]:
    for part in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        text, *shown = part.rstrip("\n").split("\n")
        yield Command(text, tuple(line for line in shown if line.strip()))


def missing(shown: tuple[str, ...], printed: str) -> str:
    """The first shown line that is not printed after those before it; empty when all are."""
    lines = iter(printed.split("\n"))
    for line in shown:
        pattern = re.compile(_pattern(line))
        if not any(pattern.fullmatch(" ".join(candidate.split())) for candidate in lines):
            return line
    return ""


def _pattern(line: str) -> str:
    line = " ".join(line.split())
    made, end = "", 0
    for match in _VARYING.finditer(line):
        made += re.escape(line[end : match.start()]) + _VARIES[(match.lastindex or 1) - 1][1]
        end = match.end()
    return made + re.escape(line[end:])


class Shell:
    """Runs commands in a folder of its own, with a state directory of its own, and leaves nothing behind."""

    def __init__(self, port: int, *, folder: str = "hello", env: Mapping[str, str] = {}, limit: float = 120) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="cf-docs-", dir="/tmp"))  # short: unix sockets allow 108 bytes
        self.folder = self.home / folder
        self.folder.mkdir(parents=True)
        self._limit = limit
        self._port = str(port)
        tools = self.home / "bin"
        tools.mkdir()
        if shutil.which("curl") is None:
            (tools / "curl").write_text(CURL)
            (tools / "curl").chmod(0o755)
        path = f"{Path(sys.executable).parent}:{tools}:{os.environ['PATH']}"
        self._env = {**os.environ, "PATH": path, "HOME": str(self.home), "CROSSFADE_STATE": str(self.home / "s"), **env}

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(self._ours(text))

    def run(self, text: str, shown: tuple[str, ...] = ()) -> str:
        """Run it and return what it printed. A look is repeated until it prints what is shown."""
        end = time.monotonic() + PATIENCE
        while True:
            printed = self._once(self._ours(text)).replace(self._port, "8080")
            lacking = missing(shown, printed)
            if not lacking or not text.startswith(LOOKS) or time.monotonic() > end:
                break
            time.sleep(0.2)
        assert not lacking, f"$ {text}\nshould print\n{lacking}\nbut printed\n{printed}"
        return printed

    def left(self) -> list[int]:
        """Processes that belong to this folder, once those that are about to end have had five seconds."""
        end = time.monotonic() + 5
        while (found := list(self._processes())) and time.monotonic() < end:
            time.sleep(0.05)
        return found

    def close(self) -> None:
        if (self.home / "s" / "journal.db").exists():
            self._once("crossfade down --all --force")
        for pid in self._processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.home, ignore_errors=True)

    def _processes(self) -> Iterator[int]:
        mark = str(self.home).encode()
        for process in Path("/proc").iterdir():
            with suppress(OSError):
                if process.name.isdecimal() and any(mark in trace for trace in _traces(process)):
                    yield int(process.name)

    def _ours(self, text: str) -> str:
        return text.replace("8080", self._port)

    def _once(self, text: str) -> str:
        """Output goes through a file: a command in the background may keep it open."""
        with tempfile.TemporaryFile("w+") as output:
            process = subprocess.run(
                ["bash", "-c", text],
                cwd=self.folder,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=self._limit,
                check=False,
            )
            output.seek(0)
            printed = output.read()
        assert process.returncode == 0 or text.startswith("crossfade down"), f"$ {text}\n{printed}"
        return printed


def _traces(process: Path) -> Iterator[bytes]:
    yield os.fsencode((process / "cwd").readlink())
    yield (process / "environ").read_bytes()
