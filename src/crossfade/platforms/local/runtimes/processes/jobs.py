"""Runs of jobs as processes: sessions that outlive us and write down themselves how they ended."""

import json
import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from crossfade.core.release import Release
from crossfade.engine.ports.runtime import HookResult
from crossfade.platforms.local.runtimes.ending import describe
from crossfade.platforms.local.runtimes.hook import SHOWN_LINES
from crossfade.platforms.local.runtimes.processes.logs import ProcessLogs, last_words
from crossfade.platforms.local.runtimes.processes.session import Session

# Who waits for the command outlives the SIGTERM that is meant for it, hands it on, and says with which code it ended.
# It hands on itself because nobody else knows the command from its first moment.
WRAPPED = """\
crossfade_told= crossfade_child=
trap 'crossfade_told=1; [ -z "$crossfade_child" ] || kill -TERM "$crossfade_child"' TERM HUP INT
/bin/sh -c {command} &
crossfade_child=$!
[ -z "$crossfade_told" ] || kill -TERM "$crossfade_child"
while wait "$crossfade_child"; crossfade_code=$?
  [ $crossfade_code -gt 128 ] && kill -0 "$crossfade_child" 2>/dev/null; do :; done
echo $crossfade_code >{draft} && mv {draft} {code}"""


class Runs:
    """`<directory>/<run>.session`, with `.code` beside it once it has ended and `.run` saying what it is."""

    def __init__(self, directory: Path, logs: ProcessLogs) -> None:
        self._directory = directory
        self._logs = logs
        self._sessions: dict[str, Session] = {}

    def start(self, run: str, release: Release, command: str, tree: Path, env: Mapping[str, str]) -> None:
        """Start it unless it was started before."""
        told = {"service": release.service.key, "digest": release.digest}
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)  # somebody may have deleted it by hand
        self._path(run, "run").write_text(json.dumps(told), encoding="utf-8")
        paths = {"draft": self._path(run, "draft"), "code": self._path(run, "code")}
        quoted = {name: shlex.quote(str(path)) for name, path in paths.items()}
        wrapped = WRAPPED.format(command=shlex.quote(command), **quoted)
        self._session(run, release).start(wrapped, tree, env, release.service.resources.memory)

    def outcome(self, run: str, release: Release) -> HookResult | None:
        """None while it runs. Without a code it was killed, or the machine went down with it."""
        session = self._session(run, release)
        self._logs.times.mark(session.log)
        if session.running():
            return None
        said = last_words(session.log, SHOWN_LINES)
        with suppress(OSError, ValueError):
            return HookResult(code=int(self._path(run, "code").read_text(encoding="utf-8")), output=said)
        if session.code:
            return HookResult(code=128 - session.code, output=describe(session.code, said))
        return HookResult(code=None, output=said)

    async def clear(self, run: str, release: Release, grace: float) -> None:
        """End what runs of it, and forget it."""
        session = self._session(run, release)
        await session.end(grace, hands_on=True)
        session.forget()
        for suffix in ("draft", "code", "run"):
            self._path(run, suffix).unlink(missing_ok=True)
        self._sessions.pop(run, None)
        self._logs.prune_runs(release.service.key)

    def digests(self) -> Iterator[str]:
        """Of the releases that something runs from."""
        for file in self._directory.glob("*.run"):
            with suppress(OSError, ValueError, KeyError):
                yield str(json.loads(file.read_text(encoding="utf-8"))["digest"])

    def _session(self, run: str, release: Release) -> Session:
        if run not in self._sessions:
            self._sessions[run] = Session(self._path(run, "session"), self._logs.path(release.service.key, run))
        return self._sessions[run]

    def _path(self, run: str, suffix: str) -> Path:
        return self._directory / f"{run}.{suffix}"
