"""The health check: when an instance counts as healthy."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field
from pydantic.json_schema import JsonSchemaValue

from crossfade.file.command import Command
from crossfade.file.part import Clash, Part
from crossfade.file.units import Duration, Notation, Text, Whole, write_duration

HEADER = Text(r"[A-Za-z0-9-]{1,64}", "a header name of letters, digits and hyphens")
_CODES = re.compile(r"([0-9]{3})(?:-([0-9]{3}))?")


def code_ranges(codes: str) -> tuple[tuple[int, int], ...]:
    """Inclusive ranges in "200-299,304": ((200, 299), (304, 304)); ValueError when it says something else."""
    ranges = []
    for part in codes.split(","):
        match = _CODES.fullmatch(part.strip())
        low, high = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 100 <= low <= high <= 599:  # noqa: PLR2004 - HTTP's own bounds
            raise ValueError('status codes such as "200", "200,204" or "200-299"')
        ranges.append((low, high))
    return tuple(ranges)


@dataclass(frozen=True)
class Codes(Notation):
    """Status codes as normal text: "200-299,304". One code may be a number, several a list."""

    def read(self, value: object) -> str:
        items = value if isinstance(value, list | tuple) else [value]
        text = ",".join("" if isinstance(item, bool) else str(item) for item in items)
        return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in code_ranges(text))

    def schema(self) -> JsonSchemaValue:
        code: dict[str, Any] = {"type": "integer", "minimum": 100, "maximum": 599}
        text = {
            "type": "string",
            "pattern": r"^ *[1-5][0-9]{2}(-[1-5][0-9]{2})? *(, *[1-5][0-9]{2}(-[1-5][0-9]{2})? *)*$",
        }
        return {"anyOf": [text, code, {"type": "array", "items": {"anyOf": [text, code]}, "minItems": 1}]}


class Health(Part):
    """How crossfade finds out that an instance works. It asks by itself, before and while the instance gets traffic.

    A worker listens to nobody: it is healthy once it has run for a while, or while a command of yours says so.
    """

    path: Annotated[str, Text(r"/[^\s#]*", 'a path that begins with "/"')] = Field(
        default="/", description="What is asked of each instance with GET.", examples=["/health/deep"]
    )
    interval: Annotated[float, Duration(least=0.05, most=3600)] = Field(
        default=10.0, description="Time between two questions to the same instance.", examples=["30s"]
    )
    timeout: Annotated[float, Duration(least=0.01, most=3600)] = Field(
        default_factory=lambda known: min(5.0, known.get("interval", 5.0)),
        description=(
            "How long an answer may take before it counts as a failure; at most `interval`. "
            "Default: 5s, or `interval` when that is shorter."
        ),
        examples=["5s"],
    )
    healthy: Annotated[int, Whole(1, 100)] = Field(
        default=2, description="Good answers in a row that make an instance healthy.", examples=[2]
    )
    unhealthy: Annotated[int, Whole(1, 100)] = Field(
        default=3, description="Failures in a row that make it unhealthy.", examples=[3]
    )
    codes: Annotated[str, Codes()] = Field(
        default="200-299",
        description=(
            "Status codes that count as a good answer: one, a list, or ranges. A redirect is followed by nobody and "
            "counts only where it is listed."
        ),
        examples=["200", "200,204", "200-399"],
    )
    host: Annotated[str, Text(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?", "a host name such as www.example.com")] | None = Field(
        default=None,
        description="The `Host` that is asked for, where the app answers only that. Default: the instance's address.",
        examples=["www.example.com"],
    )
    headers: dict[Annotated[str, HEADER], Annotated[str, Text(r"[^\r\n]*", "text on one line")]] = Field(
        default={}, description="Headers that are sent along.", examples=[{"X-Forwarded-Proto": "https"}]
    )
    body: Annotated[str, Text(r"[\s\S]*\S[\s\S]*", "text that is not empty")] | None = Field(
        default=None,
        description="What the first 64 KiB of a good answer contain. Default: anything.",
        examples=["ok"],
    )

    port: Annotated[int, Whole(1, 65535)] | None = Field(
        default=None,
        description="Which port of a container is asked, where that is another one than gets requests.",
        examples=[8081],
    )
    after: Annotated[float, Duration(most=86400)] | None = Field(
        default=None,
        description=(
            "worker: how long an instance must have run to be healthy; it is asked nothing. Default: 5s, without a "
            "`command`."
        ),
        examples=["20s"],
    )
    command: Annotated[str, Command()] | None = Field(
        default=None,
        description=(
            "In place of the GET, and for a worker: runs beside the instance, in its environment and folder, every "
            "`interval` and for at most `timeout`; code 0 is a good answer. Default: none."
        ),
        examples=["celery -A shop inspect ping -d worker@$HOSTNAME"],
    )

    def impossible(self) -> Iterator[Clash]:
        for name in self.headers:
            if name.lower() == "host":
                yield Clash(("headers", name), "Host among the headers", "health: {host: ...}")
        if self.timeout > self.interval:
            found = f"timeout {write_duration(self.timeout)} is longer than interval {write_duration(self.interval)}"
            yield Clash(("timeout",), found, f"at most {write_duration(self.interval)}, or a longer interval")
