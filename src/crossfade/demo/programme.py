"""The programme of a demo: what of it is shown while it happens."""

import time
from collections.abc import Mapping
from typing import Any

import click

from crossfade.demo.record import DemoStep
from crossfade.telling.story import Story


class Programme:
    """Acts, one after the other; with JSON nothing is shown, until the end."""

    def __init__(self, *, silent: bool) -> None:
        self._silent = silent
        self._story = Story()
        self._began = time.monotonic()

    def say(self, line: str = "", **style: Any) -> None:
        if not self._silent:
            click.secho(line, **style)

    def begin(self, act: str, told: str) -> None:
        self._began = time.monotonic()
        self.say()
        self.say(f"{act}: {told}", bold=True)

    def event(self, event: Mapping[str, Any]) -> None:
        for line in self._story.tell(event):
            self.aside(line)

    def aside(self, line: str) -> None:
        self.say(f"{time.monotonic() - self._began:6.1f} s  {line}")

    def end(self, done: DemoStep) -> None:
        self.say(f"          {done.line()}", fg="green" if done.ok else "red")
