"""The load test file as types."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from crossfade.core.journey import Journey, LoadStage, LoadTest, Promises, Step
from crossfade.file.cloud.watch import Targets
from crossfade.file.part import Clash, Part
from crossfade.file.units import Duration, Notation, Number, Text, Whole, read_duration

METHODS = ("get", "post", "put", "patch", "delete")
PATH = Text(r"/[^\s#]*", "a path that begins with /, such as /api/teams")
HEADER = Text(r"[A-Za-z0-9-]{1,60}", "a header's name, such as X-Release")
LINE = Text(r"[^\r\n\x00]*", "text on one line")
MOST_USERS = 5000


class Think(Notation):
    """Seconds between two requests of a visitor: "2s", or from .. to as "1s-3s"."""

    def read(self, value: object) -> tuple[float, float]:
        allowed = "a duration such as 2s, or two such as 1s-3s"
        try:
            parts = [read_duration(part) for part in (value.split("-") if isinstance(value, str) else [value])]
        except ValueError:
            raise ValueError(allowed) from None
        if len(parts) > 2 or parts != sorted(parts) or parts[-1] > 3600:  # noqa: PLR2004  from, to
            raise ValueError(allowed)
        return parts[0], parts[-1]

    def write(self, value: tuple[float, float]) -> str:
        return f"{value[0]:g}s-{value[1]:g}s"

    def schema(self) -> dict[str, Any]:
        return {"type": ["string", "number"]}


class Status(Notation):
    """Codes of good answers: 200, or from .. to as "200-299"."""

    def read(self, value: object) -> tuple[int, int]:
        found = re.fullmatch(r"([1-5]\d\d)(?:-([1-5]\d\d))?", str(value))
        if not found or isinstance(value, bool) or int(found[2] or found[1]) < int(found[1]):
            raise ValueError("a status such as 200, or two such as 200-299")
        return int(found[1]), int(found[2] or found[1])

    def schema(self) -> dict[str, Any]:
        return {"type": ["string", "integer"]}


class Finds(Notation):
    """A pattern whose first group is the value that it finds."""

    def read(self, value: object) -> str:
        try:
            groups = re.compile(value).groups if isinstance(value, str) else 0
        except re.error:
            groups = 0
        if not groups:
            raise ValueError('a pattern with a group around the value, such as value="([^"]+)"')
        return str(value)

    def schema(self) -> dict[str, Any]:
        return {"type": "string"}


class Asked(Part):
    """One request: one of get, post, put, patch, delete with its path."""

    get: Annotated[str, PATH] | None = None
    post: Annotated[str, PATH] | None = None
    put: Annotated[str, PATH] | None = None
    patch: Annotated[str, PATH] | None = None
    delete: Annotated[str, PATH] | None = None
    headers: dict[Annotated[str, HEADER], Annotated[str, LINE]] = Field(default={})
    send: Any = Field(default=None, alias="json")
    form: dict[str, str] = Field(default={})
    status: Annotated[tuple[int, int], Status()] = (200, 399)
    contains: str = ""
    save: dict[str, Annotated[str, Finds()]] = Field(default={})
    think: Annotated[tuple[float, float], Think()] | None = None

    def impossible(self) -> Iterator[Clash]:
        asked = [name for name in METHODS if getattr(self, name) is not None]
        if len(asked) != 1:
            yield Clash(
                (asked[1] if asked else "get",), f"{len(asked)} requests in one step", f"one of {', '.join(METHODS)}"
            )
        if self.send is not None and self.form:
            yield Clash(("form",), "json and form in one step", "one of them")

    def made(self, think: tuple[float, float]) -> Step:
        method = next(name for name in METHODS if getattr(self, name) is not None)
        headers, body = dict(self.headers), ""
        if self.send is not None:
            headers, body = {"Content-Type": "application/json", **headers}, json.dumps(self.send)
        if self.form:
            from urllib.parse import quote_plus  # noqa: PLC0415  for who has a form

            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            pairs = ((quote_plus(k), quote_plus(v, safe="${}")) for k, v in self.form.items())
            headers, body = {**kind, **headers}, "&".join("=".join(pair) for pair in pairs)
        return Step(
            method=method.upper(),
            path=getattr(self, method),
            headers=tuple(headers.items()),
            body=body,
            status=self.status,
            contains=self.contains,
            save=tuple(self.save.items()),
            think=self.think or think,
        )


class Way(Part):
    """What one kind of visitor does."""

    weight: Annotated[float, Number(above=0, most=1e6)] = 1.0
    login: list[Asked] = Field(default=[])
    steps: Annotated[list[Asked], Field(min_length=1)]


class SheetStage(Part):
    """So many visitors for so long."""

    users: Annotated[int, Whole(1, MOST_USERS)]
    lasts: Annotated[float, Duration(least=1, most=86400)] = Field(alias="for")


class Sheet(Part):
    """The whole file."""

    url: str | None = None
    timeout: Annotated[float, Duration(least=0.1, most=600)] = 10.0
    warmup: Annotated[float, Duration(most=3600)] = 0.0
    think: Annotated[tuple[float, float], Think()] = (1.0, 3.0)
    health: Annotated[str, PATH] | None = None
    release: Annotated[str, HEADER] = "X-Release"
    instance: Annotated[str, HEADER] = "X-Instance"
    stages: Annotated[list[SheetStage], Field(min_length=1, max_length=50)]
    journeys: dict[str, Way] = Field(default={})
    locustfile: str | None = None
    targets: Targets | None = None

    def impossible(self) -> Iterator[Clash]:
        if bool(self.journeys) == bool(self.locustfile):
            found = "journeys and a locustfile" if self.journeys else "neither journeys nor a locustfile"
            yield Clash(("locustfile",) if self.journeys else (), found, "one of journeys, locustfile")

    def made(self, targets: Targets | None, folder: Path) -> LoadTest:
        """The test of a file in `folder`; `targets` are those of the environment, for one that has none of its own."""
        return LoadTest(
            journeys=tuple(
                Journey(
                    name=name,
                    weight=way.weight,
                    login=tuple(step.made((0.0, 0.0)) for step in way.login),
                    steps=tuple(step.made(self.think) for step in way.steps),
                )
                for name, way in self.journeys.items()
            ),
            stages=tuple(LoadStage(users=one.users, seconds=one.lasts) for one in self.stages),
            locustfile=str(folder / self.locustfile) if self.locustfile else "",
            warmup=self.warmup,
            timeout=self.timeout,
            health=self.health or "",
            release=self.release,
            instance=self.instance,
            promises=promises(self.targets or targets),
        )


def promises(targets: Targets | None) -> Promises:
    if targets is None:
        return Promises()

    def ms(value: float | None) -> float | None:
        return None if value is None else value * 1000

    return Promises(
        availability=targets.availability,
        errors=targets.errors,
        mean_ms=ms(targets.mean),
        p95_ms=ms(targets.p95),
        health_ms=ms(targets.health_check),
        requests=targets.requests,
        deploy_s=targets.deploy,
        recovery_s=targets.recovery,
    )
