"""The record of what is done over hosts, written by a keeper at the other end of a pipe."""

import json
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from crossfade.core.errors import CrossfadeError, PlatformError, RefusedError, WrongInputError
from crossfade.engine.ports.hosts import HostLostError
from crossfade.engine.ports.journal import Event

ALIVE_SECONDS = 5.0  # between two signs of life
LEAVING = 5.0  # seconds for the keeper to end

_KINDS: Mapping[int, type[CrossfadeError]] = {2: WrongInputError, 3: RefusedError, 4: PlatformError}


class KeptJournal:
    """`keeper` is the process that leads to it, `host` what it is called in messages."""

    def __init__(self, keeper: "subprocess.Popen[bytes]", host: str) -> None:
        """Raises RefusedError while somebody else has it, HostLostError when the keeper does not answer."""
        self._keeper = keeper
        self._host = host
        self._pipe = threading.Lock()
        self._closed = threading.Event()
        try:
            self._events = [Event(**event) for event in self._answer()["events"]]
        except CrossfadeError:
            self.close()
            raise
        threading.Thread(target=self._live, name=f"signs of life to {host}", daemon=True).start()

    def events(self) -> Sequence[Event]:
        return self._events

    def append(self, kind: str, data: Mapping[str, Any]) -> Event:
        with self._pipe:
            self._say({"kind": kind, "data": data})
            event = Event(**self._answer()["event"])
        self._events.append(event)
        return event

    def close(self) -> None:
        self._closed.set()
        with self._pipe:
            if self._keeper.stdin:
                with suppress(OSError):
                    self._keeper.stdin.close()
            try:
                self._keeper.wait(LEAVING)
            except subprocess.TimeoutExpired:
                self._keeper.kill()
                self._keeper.wait()
            if self._keeper.stdout:
                self._keeper.stdout.close()

    def _live(self) -> None:
        while not self._closed.wait(ALIVE_SECONDS):
            with self._pipe:
                try:
                    self._say({})
                except HostLostError:
                    return

    def _say(self, words: Any) -> None:
        assert self._keeper.stdin is not None  # noqa: S101  it was asked for
        try:
            self._keeper.stdin.write(json.dumps(words).encode() + b"\n")
            self._keeper.stdin.flush()
        except (OSError, ValueError) as error:  # ValueError: it is closed
            raise self._lost() from error

    def _answer(self) -> Any:
        assert self._keeper.stdout is not None  # noqa: S101  it was asked for
        line = self._keeper.stdout.readline()
        try:
            told = json.loads(line)
        except ValueError as error:
            raise self._lost() from error
        if "error" in told:
            why = told["error"]
            raise _KINDS.get(why["exit_code"], PlatformError)(why["cause"], why["way_out"])
        return told

    def _lost(self) -> HostLostError:
        return HostLostError(
            f"{self._host}, which keeps the record, does not answer any more",
            "what is done is on record: the same command goes on once it answers",
        )
