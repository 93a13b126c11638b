"""A table of costs as a team wrote it."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic.json_schema import JsonSchemaValue

from crossfade.aws.cost.check.money import NOTHING, Dollars, Money, Quantity
from crossfade.aws.cost.prices.keys import unknown
from crossfade.core.errors import WrongInputError
from crossfade.file.cloud.words import REGIONS, Word
from crossfade.file.part import Clash, Part
from crossfade.file.reading.document import Keys
from crossfade.file.reading.sheet import read_sheet
from crossfade.file.units import MeantError, Notation, Text, Whole


@dataclass(frozen=True)
class PriceKey(Notation):
    """A key of the price book, such as ec2.hour.t3.micro."""

    def read(self, value: object) -> str:
        meant = unknown(str(value))
        if meant is None:
            return str(value)
        raise MeantError("a key of the price book such as alb.hour", meant)

    def schema(self) -> JsonSchemaValue:
        return {"type": "string"}


REGION = Word(REGIONS, "a region such as us-east-1 or ap-northeast-2")
WORDS = Text(r"[^\n]{1,100}", "one line of text")


class Thing(Part):
    """What a line pays for, as the price book calls it."""

    kind: Annotated[str, PriceKey()] = Field(
        description="Its key in the price book.", examples=["fargate.vcpu-hour.x86"]
    )
    quantity: Annotated[Decimal, Quantity()] = Field(default=Decimal(1), description="How many.", examples=[4])

    @property
    def hourly(self) -> bool:
        """Paid by the hour, so that a month has it 730 times."""
        return ".hour" in self.kind or "-hour" in self.kind


class TableLine(Part):
    """One line of the table. With `kind`, or with `of` where it pays for several things, its price can be checked."""

    item: Annotated[str, WORDS] = Field(description="What, in the team's words.", examples=["EC2 2 x t3.medium"])
    monthly: Annotated[Money, Dollars()] = Field(description="Dollars a month, or a range.", examples=["8-15"])
    quantity: Annotated[Decimal, Quantity()] | None = Field(
        default=None,
        description="How many; of what is paid by the hour, how many at all hours. Without it only the sum is checked.",
        examples=[2],
    )
    unit: Annotated[str, WORDS] = Field(default="", description="Of what, for people.", examples=["instance"])
    unit_price: Annotated[Money, Dollars()] | None = Field(
        default=None, description="Dollars for one, as the price book counts.", examples=["0.0104"]
    )
    kind: Annotated[str, PriceKey()] | None = Field(
        default=None, description="Its key in the price book.", examples=["ec2.hour.t3.micro"]
    )
    of: tuple[Thing, ...] = Field(
        default=(),
        description="What it pays for, when that is more than one thing.",
        examples=[[{"kind": "fargate.vcpu-hour.x86", "quantity": 4}, {"kind": "fargate.gb-hour.x86", "quantity": 8}]],
    )

    @property
    def things(self) -> tuple[Thing, ...]:
        """What can be reckoned with."""
        return self.of or ((Thing(kind=self.kind, quantity=self.quantity),) if self.kind and self.quantity else ())

    def pays_for(self, kind: str) -> bool:
        return kind == self.kind or any(thing.kind == kind for thing in self.of)

    def impossible(self) -> Iterator[Clash]:
        if self.of and (self.kind or self.unit_price):
            yield Clash(("of",), "of beside kind or unit_price", "either one kind, or a list of things")
        if self.unit_price and not (self.kind and self.quantity):
            yield Clash(("unit_price",), "a unit price of nothing", "kind: ... and quantity: ... beside it")
        if self.unit_price and not self.unit_price.exact:
            yield Clash(("unit_price",), f"the range {self.unit_price}", "one price")


class Exists(Part):
    """What is known to be there, whether the table pays for it or not."""

    public_hosts: Annotated[int, Whole(0, 10_000)] = Field(
        default=0, description="Hosts with a public address.", examples=[2]
    )
    balancer_zones: Annotated[int, Whole(0, 6)] = Field(
        default=0, description="Zones of a load balancer that faces the internet; one address in each.", examples=[2]
    )
    nat_gateways: Annotated[int, Whole(0, 100)] = Field(default=0, description="NAT gateways.", examples=[2])

    @property
    def addresses(self) -> int:
        """Public IPv4 addresses."""
        return self.public_hosts + self.balancer_zones + self.nat_gateways

    @property
    def counted(self) -> str:
        """Whose they are."""
        owners = {
            "hosts": self.public_hosts,
            "zones of the load balancer": self.balancer_zones,
            "NAT gateways": self.nat_gateways,
        }
        return " + ".join(f"{count} {owner}" for owner, count in owners.items() if count)


class BillTable(Part):
    """A bill in a team's own words and figures."""

    region: Annotated[str, REGION] = Field(description="Whose prices are meant.", examples=["ap-northeast-2"])
    hours: Annotated[Decimal, Quantity()] = Field(default=Decimal(730), description="Hours of a month.", examples=[730])
    lines: tuple[TableLine, ...] = Field(
        description="What it consists of.", examples=[[{"item": "ALB", "monthly": 22.27, "kind": "alb.hour"}]]
    )
    total: Annotated[Money, Dollars()] | None = Field(
        default=None, description="What the team says it adds up to.", examples=["99-111"]
    )
    exists: Exists = Field(
        default=Exists(), description="What is known to be there.", examples=[{"public_hosts": 2, "balancer_zones": 2}]
    )

    @property
    def sum(self) -> Money:
        return sum((line.monthly for line in self.lines), NOTHING)

    def impossible(self) -> Iterator[Clash]:
        if not self.lines:
            yield Clash(("lines",), "no lines", "one or more lines such as {item: ALB, monthly: 22.27}")
        items = [line.item for line in self.lines]
        for index, item in enumerate(items):
            if item in items[:index]:
                yield Clash(("lines", index, "item"), f'a second "{item}"', "a name of its own for each line")


_FIGURES = frozenset({"monthly", "total", "unit_price", "quantity", "hours"})


def read_table(path: Path) -> BillTable:
    """Raises WrongInputError for what is no such table."""
    return read_sheet(BillTable, path, _is_figure)


def in_region(table: BillTable, region: str) -> BillTable:
    """The same table, as if it were meant for another region."""
    try:
        return table.model_copy(update={"region": REGION.read(region)})
    except ValueError as error:
        raise WrongInputError(f'--region: found "{region}"', f"allowed: {error}") from None


def _is_figure(keys: Keys) -> bool:
    """Figures are taken as typed: 4.00 is exact to the cent, 4 is not."""
    return keys[-1] in _FIGURES
