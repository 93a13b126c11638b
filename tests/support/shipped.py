"""A folder that is shipped from to the rig as a person does it: by the command line, with visitors all the while."""

import http.client
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.rig import Fault, Rig
from tests.rig.rig import ROOT

PACE = 20.0  # how much faster than AWS the rig is
LIMIT = 600.0  # seconds for one command on a busy machine
CROSSFADE = ("-m", "crossfade.cli.main")


IN_A_ROW = 3  # calls of one operation that AWS refuses, which is tried again for longer than that


@contextmanager
def counted(rig: Rig) -> Iterator[set[str]]:
    """Which operations are asked for in the block, as `ecs:UpdateService`; known at its end."""
    asked, before = set[str](), rig.calls()
    yield asked
    asked |= {one for one, count in rig.calls().items() if count > before.get(one, 0)}


@contextmanager
def throttled(rig: Rig, operations: Iterable[str]) -> Iterator[None]:
    """Each of these is refused some times in a row, because there are too many calls."""
    parts = (one.split(":") for one in sorted(operations))
    rig.knobs.add(*(Fault(service=service, operation=name, times=IN_A_ROW) for service, name in parts))
    try:
        yield
    finally:
        rig.knobs.clear()


@dataclass
class Ran:
    """What a shell sees."""

    code: int
    out: str
    err: str

    @property
    def last(self) -> Any:
        """The last line of `--json`."""
        return json.loads(self.out.splitlines()[-1])


class Shipped:
    """`run("deploy", "-e", "dev")` in the folder, with AWS where the rig is."""

    def __init__(self, rig: Rig, folder: Path, *, pace: float = PACE) -> None:
        self.rig, self.folder = rig, folder
        kept = {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "CROSSFADE_"))}
        own = {"CROSSFADE_AWS_PACE": f"{pace:g}", "CROSSFADE_STATE": str(folder / "state"), "PYTHONPATH": str(ROOT)}
        self.variables = {**kept, **rig.environment, **own}

    def file(self, text: str) -> None:
        """What stands in crossfade.yaml from now on."""
        (self.folder / "crossfade.yaml").write_text(text)

    def run(self, *words: str, program: tuple[str, ...] = CROSSFADE, **variables: str) -> Ran:
        done = subprocess.run(
            [sys.executable, *program, *words],
            env={**self.variables, **variables},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def running(self, *words: str) -> Iterator["subprocess.Popen[str]"]:
        """A command under way; it is gone at the end of the block."""
        process = subprocess.Popen(
            [sys.executable, *CROSSFADE, *words],
            env=self.variables,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def releases(self, *service: str) -> list[tuple[str, str]]:
        """Version and outcome of each, the newest first."""
        found = json.loads(self.run("releases", *service, "-e", "dev", "--json").out)["releases"]
        return [(one["version"], one["outcome"]) for one in found]


def until(process: "subprocess.Popen[str]", holds: Callable[[Any], bool]) -> Any:
    """The first line of `--json` for which something holds."""
    assert process.stdout is not None
    for line in process.stdout:
        event = json.loads(line)
        if holds(event):
            return event
    raise AssertionError("it ended before")


def asked(address: str, path: str) -> tuple[int, str, str]:
    """Status, text, and how long it may be kept; a connection of its own."""
    connection = http.client.HTTPConnection(address, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers.get("Cache-Control", "")
    finally:
        connection.close()


@contextmanager
def repeated(*acts: Callable[[], None]) -> Iterator[None]:
    """Each in a thread of its own, again and again until the end of the block."""
    over = threading.Event()

    def repeat(act: Callable[[], None]) -> None:
        while not over.wait(0.04):
            act()

    threads = [threading.Thread(target=repeat, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
