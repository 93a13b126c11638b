"""Findings of `crossfade audit` that a team lives with: why, and until when."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import Field
from pydantic.json_schema import JsonSchemaValue

from crossfade.file.part import Part
from crossfade.file.units import Notation, Text


@dataclass(frozen=True)
class Day(Notation):
    """A day of the calendar as `2027-03-31`."""

    def read(self, value: object) -> date:
        try:
            return date.fromisoformat(value if isinstance(value, str) and len(value) == len("2027-03-31") else "")
        except ValueError:
            raise ValueError("a day such as 2027-03-31") from None

    def write(self, value: date) -> str:
        return value.isoformat()

    def schema(self) -> JsonSchemaValue:
        return {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}


class Acceptance(Part):
    """A finding that does not count for a while."""

    id: Annotated[str, Text(r"[A-Za-z0-9_-]{1,40}", "the id of a rule, such as CF-NET-001")] = Field(
        description="The rule's id, as `audit` shows it.", examples=["CF-NET-001"]
    )
    where: Annotated[str, Text(r"\S+", "a key of the file or an address of a plan, * for any part")] | None = Field(
        default=None,
        description="Only there: a key of the file or an address of a plan; `*` stands for any part. Default: all.",
        examples=["cloud.network.open_ports.*"],
    )
    reason: Annotated[str, Text(r"[^\n]*\S[^\n]*", "one line that says why this is accepted")] = Field(
        description="Why you live with it.", examples=["Port 22 is closed by the host's own firewall"]
    )
    until: Annotated[date, Day()] = Field(
        description="The last day on which it does not count.", examples=["2027-03-31"]
    )
