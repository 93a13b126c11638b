"""A price book: what a unit of anything costs, and who says so."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from crossfade.aws.cost.prices.classes import classes
from crossfade.aws.cost.prices.keys import unknown
from crossfade.aws.cost.prices.price import Price
from crossfade.aws.tables import as_typed
from crossfade.core.errors import WrongInputError
from crossfade.file.reading.document import Written, parse
from crossfade.file.reading.problem import Problem, WrongFileError, nearest, shown

EVERYWHERE = "everywhere"  # the book of what costs the same in all of AWS's regions but those of China and governments
# Regions of other companies and of governments, with price lists of their own: https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
_APART = ("cn-", "us-gov-", "us-iso", "eu-iso", "eusc-")
_LARGEST = 1 << 20
_KEYS = ("name", "region", "date", "only", "sources", "prices")
_PRICE_KEYS = ("usd", "source", "note")
_NUMBER = "dollars such as 0.0225, null for unknown, or {usd: 0.0225, source: ..., note: ...}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBook:
    """Prices by key. A key that is missing is unknown, which is not 0."""

    name: str
    region: str = ""
    date: str = ""
    only: bool = False  # stands alone instead of lying over the list prices
    lacks: str = ""  # why there is no list of prices behind it, for the region that it stands for
    prices: Mapping[str, Price]

    @property
    def title(self) -> str:
        """The name with the day that its prices are from."""
        return f"{self.name} ({self.date})" if self.date else self.name

    def price(self, key: str) -> Price:
        return self.prices.get(key) or Price(usd=None, source=f"not in {self.name}")

    def over(self, other: "PriceBook") -> "PriceBook":
        """These prices, and the other's where this book says nothing."""
        if self.only:
            return self
        name = f"{self.title}, over {other.title}"
        return replace(self, name=name, region=other.region, date="", prices={**other.prices, **self.prices})


def regions() -> list[str]:
    """Regions whose list prices come with crossfade."""
    folder = files("crossfade.aws.cost.prices")
    named = {Path(entry.name).stem for entry in folder.iterdir() if entry.name.endswith(".yaml")}
    return sorted(named - {EVERYWHERE})


@cache
def list_prices(region: str) -> PriceBook:
    """AWS's list prices in a region; in one that we do not know, only what costs the same everywhere is known."""
    if region.startswith(_APART):
        return _without_list(region, {})
    same = _shipped(EVERYWHERE)
    if region not in regions():
        return _without_list(region, same.prices)
    listed = _shipped(region)
    return replace(listed, prices={**same.prices, **classes(region), **listed.prices})


def _without_list(region: str, prices: Mapping[str, Price]) -> PriceBook:
    why = f"no price book for {region}" if region else "no region, and so no price book"
    return PriceBook(name=why, lacks=why, region=region, prices=prices)


def _shipped(name: str) -> PriceBook:
    """One of ours. A test reads each as strictly as a team's, and finds the same in it."""
    told = as_typed(files("crossfade.aws.cost.prices").joinpath(f"{name}.yaml").read_text("utf-8"))
    prices = {key: _ours(said, told["sources"], told["name"]) for key, said in told["prices"].items()}
    return PriceBook(name=told["name"], region=told.get("region", ""), date=told["date"], prices=prices)


def _ours(said: str | Mapping[str, Any], sources: Mapping[str, str], book: str) -> Price:
    if isinstance(said, str):
        return Price(usd=None if said == "null" else Decimal(said), source=book)
    letters = said["source"] if isinstance(said["source"], list) else [said["source"]]
    source = "; ".join(sources[letter] for letter in letters)
    return Price(usd=Decimal(said["usd"]), source=source, note=said.get("note", ""))


def own(path: Path) -> PriceBook:
    """A team's book. WrongInputError: no such file, or everything that is wrong in it."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise WrongInputError(
            f"{path} cannot be read: {error.strerror}", "name a price book in YAML with --prices"
        ) from None
    if len(raw) > _LARGEST:
        raise WrongInputError(f"{path} has {len(raw)} bytes; {_LARGEST} are allowed", "name a price book with --prices")
    return read(raw, str(path))


def read(raw: bytes, called: str) -> PriceBook:
    """A book from its bytes; `called` is its name in messages."""
    root = parse(raw, called, "`prices:`")
    assert isinstance(root.value, dict)  # noqa: S101  parse refuses anything else
    problems = [
        Problem(item.place, f'unknown key "{key}"', f"one of {', '.join(_KEYS)}", nearest(key, _KEYS))
        for key, item in root.value.items()
        if key not in _KEYS
    ]
    sources = _sources(root, problems)
    name = _text(root, "name", Path(called).name, problems)
    prices = dict(_prices(root, sources, name, problems))
    only = root.get("only")
    if only is not None and not isinstance(only.value, bool):
        problems.append(Problem(only.place, f"found {shown(only.plain())}", "true or false"))
    book = PriceBook(
        name=name,
        region=_text(root, "region", "", problems),
        date=_text(root, "date", "", problems),
        only=bool(only and only.value),
        prices=prices,
    )
    if problems:
        raise WrongFileError(called, problems, "no bill was made")
    return book


def _text(root: Written, key: str, default: str, problems: list[Problem]) -> str:
    item = root.get(key)
    if item is None:
        return default
    if isinstance(item.value, dict | list) or item.value is None:
        problems.append(Problem(item.place, f"found {shown(item.plain())}", "one line of text"))
        return default
    return item.text


def _sources(root: Written, problems: list[Problem]) -> dict[str, str]:
    section = root.get("sources")
    if section is None:
        return {}
    if not isinstance(section.value, dict):
        problems.append(Problem(section.place, f"found {shown(section.plain())}", "a mapping such as aws: price list"))
        return {}
    return {key: item.text for key, item in section.value.items()}


def _prices(root: Written, sources: Mapping[str, str], book: str, problems: list[Problem]) -> list[tuple[str, Price]]:
    section = root.get("prices")
    if section is None or not isinstance(section.value, dict) or not section.value:
        place = section.place if section else root.place
        problems.append(Problem(place, "no prices", "a mapping such as prices: {alb.hour: 0.0225}"))
        return []
    found = []
    for key, item in section.value.items():
        meant = unknown(key)
        if meant is not None:
            problems.append(Problem(item.place, f'nothing is priced by "{key}"', "", meant))
            continue
        try:
            found.append((key, _price(item, sources, book)))
        except ValueError as error:
            problems.append(Problem(item.place, f"found {shown(item.plain())}", str(error)))
    return found


def _price(item: Written, sources: Mapping[str, str], book: str) -> Price:
    """A number, nothing, or a mapping; ValueError whose text is what is allowed."""
    if not isinstance(item.value, dict):
        return Price(usd=_dollars(item), source=book)
    if wrong := [key for key in item.value if key not in _PRICE_KEYS]:
        raise ValueError(f"only {', '.join(_PRICE_KEYS)}, and not {wrong[0]}")
    usd, source, note = (item.get(key) for key in _PRICE_KEYS)
    if usd is None:
        raise ValueError(_NUMBER)
    return Price(usd=_dollars(usd), source=_named(source, sources) or book, note=note.text if note else "")


def _dollars(item: Written) -> Decimal | None:
    if item.value is None:
        return None
    try:
        number = Decimal(item.text)  # as it is typed: a float would make 0.1 something else
    except InvalidOperation:
        raise ValueError(_NUMBER) from None
    if isinstance(item.value, str | bool) or not number.is_finite() or number < 0:
        raise ValueError(_NUMBER)
    return number


def _named(item: Written | None, sources: Mapping[str, str]) -> str:
    """The sources spelled out: their letters in the book are short for `sources` above."""
    if item is None or item.value is None:
        return ""
    letters = [each.text for each in item.value] if isinstance(item.value, list) else [item.text]
    return "; ".join(sources.get(letter, letter) for letter in letters)
