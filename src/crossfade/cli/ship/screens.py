"""Screens on which a rollout is shown while it happens: a terminal, a plain log, or lines of JSON."""

import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import click

from crossfade.telling.story import Story
from crossfade.telling.text import plain, plural

HEARTBEAT = 10.0  # a plain log that says nothing for longer looks stuck
PATIENCE = 3.0  # seconds in which most waits are over
_TOLD = re.compile("^baking|crossfade promote")  # waits that are no news: an event tells of them, or they are asked
_NUMBER = re.compile(r"[\d.,]+")

Json = Mapping[str, Any]


class Screen(Protocol):
    """`tick` is how often, in seconds, the screen wants the state of the rollout beside its events; 0 is never."""

    tick: float
    several: bool  # several services are told of: each line says of which

    def say(self, line: str) -> None: ...

    def event(self, event: Json) -> None: ...

    def state(self, service: Json) -> None:
        """One service of `status`, with its rollout under way."""
        ...

    def doing(self, what: str) -> Any:
        """A context in which something takes its time."""
        ...

    def now(self, line: str) -> None:
        """What is under way, which may be another thing soon."""
        ...

    def close(self) -> None: ...


class Lines:
    """A screen of JSON lines: the events as the journal has them."""

    tick = 0.0
    several = False

    def say(self, line: str) -> None:
        click.echo(line, err=True)

    def event(self, event: Json) -> None:
        click.echo(json.dumps(event))
        sys.stdout.flush()

    def state(self, service: Json) -> None:
        """Only events are lines here."""

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:  # noqa: ARG002  events say it
        yield

    def now(self, line: str) -> None:
        """Only what happened is a line here."""

    def close(self) -> None:
        """Nothing is held."""


class LogScreen:
    """A line a sentence, each with the seconds since the beginning."""

    tick = 1.0
    several = False

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._stories: dict[str, Story] = {}
        self._began = self._spoke = clock()
        self._asked: dict[str, str] = {}  # what a person is asked for, by service, said once
        self._trouble: dict[str, str] = {}  # by service, said once
        self._waits: dict[str, dict[str, float]] = {}  # by service, and in words without numbers: since when
        self._explained: set[tuple[str, str]] = set()  # those of them that were said, each once

    def say(self, line: str) -> None:
        self._spoke = self._clock()
        click.echo(f"{self._spoke - self._began:6.1f} s  {plain(line)}")
        sys.stdout.flush()

    def event(self, event: Json) -> None:
        service = event["service"]
        story = self._stories.setdefault(service, Story())
        for line in story.tell(event):
            self.say(f"{service}: {line}" if self.several else line)

    def state(self, service: Json) -> None:
        rollout, name = service["rollout"], service["name"]
        of = f"{service['app']}/{name}: " if self.several else ""
        trouble = service["trouble"] or (service.get("stuck") or {}).get("cause") or ""
        if trouble and trouble != self._trouble.get(name):
            self.say(f"{of}trouble: {trouble.partition(chr(10))[0]}")
        self._trouble[name] = trouble
        asked = "; ".join(why for why in rollout["waiting_for"] if "crossfade promote" in why) if rollout else ""
        if asked and asked != self._asked.get(name):
            self.say(f"{of}{asked}")
        elif rollout and (self._new_wait(name, rollout) or self._clock() - self._spoke >= HEARTBEAT):
            self.say(f"{of}{standing(rollout)}")
        self._asked[name] = asked

    def _new_wait(self, name: str, rollout: Json) -> bool:
        """It waits for something for longer than is usual, of which nothing was said yet, whatever else was."""
        now, before = self._clock(), self._waits.get(name, {})
        kinds = {_NUMBER.sub("", why.partition(";")[0]) for why in rollout["waiting_for"] if not _TOLD.search(why)}
        self._waits[name] = {kind: before.get(kind, now) for kind in kinds}
        fresh = {(name, kind) for kind, since in self._waits[name].items() if now - since >= PATIENCE}
        fresh -= self._explained
        self._explained |= fresh
        return bool(fresh)

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        self.say(what)
        yield

    def now(self, line: str) -> None:
        if self._clock() - self._spoke >= HEARTBEAT:
            self.say(line)

    def close(self) -> None:
        """Nothing is held."""


class Terminal(LogScreen):
    """The same lines, and below them one that moves: what is waited for, and what clients got so far."""

    tick = 0.2

    def __init__(self) -> None:
        super().__init__()
        from rich.console import Console  # 60 ms that only a terminal pays
        from rich.status import Status

        self._console = Console(highlight=False)
        self._status = Status("", console=self._console)
        self._status.start()

    def say(self, line: str) -> None:
        self._spoke = self._clock()
        self._console.print(f"[dim]{self._spoke - self._began:6.1f} s[/dim]  {_escaped(line)}", soft_wrap=True)

    def state(self, service: Json) -> None:
        super().state(service)
        if service["rollout"]:
            self._status.update(_escaped(standing(service["rollout"])))

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        self._status.update(_escaped(what))
        yield

    def now(self, line: str) -> None:
        self._status.update(_escaped(line))

    def close(self) -> None:
        self._status.stop()


def screen(*, as_json: bool) -> Screen:
    if as_json:
        return Lines()
    return Terminal() if sys.stdout.isatty() else LogScreen()


def standing(rollout: Json) -> str:
    """Where a rollout is, in one line."""
    step = f"step {rollout['step']} of {len(rollout['steps'])}, {rollout['steps'][rollout['step'] - 1]}"
    if rollout["state"] == "rolling_back":
        step = "taking it back"
    waits = "; ".join(rollout["waiting_for"])
    seen = rollout["traffic"]
    counted = f" · {plural(seen['requests'], 'request')}, {seen['failed']:,} failed" if seen else ""
    return f"{step}{': ' + waits if waits else ''}{counted}"


def _escaped(line: str) -> str:
    from rich.markup import escape

    return escape(plain(line))
