"""`crossfade cost --live`: prices that are unknown, asked of AWS and kept."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crossfade.aws.cost.bill.bill import Bill
from crossfade.aws.cost.bill.charge import UNPRICED
from crossfade.aws.cost.live.keep import keep
from crossfade.aws.cost.live.live import Answers, ask, client
from crossfade.aws.cost.prices.book import own
from crossfade.core.errors import WrongInputError

BOOK = Path("prices.yaml")


def asked(bills: Sequence[Bill], prices: Path | None, connect: Callable[[], Any] = client) -> tuple[Path | None, str]:
    """The book with what AWS answers, and a sentence about it. A book has the prices of one region."""
    path = prices or BOOK
    kept = own(path) if path.exists() else None
    regions = list(dict.fromkeys(line.region for bill in bills for line in bill.lines if line.price is None))
    region = (kept.region if kept else "") or next((bill.region for bill in bills if bill.region), "")
    if not region:
        raise WrongInputError("nobody knows which region to ask for", "name it with --region")
    keys = [key for bill in bills for key in _lacking(bill, region)]
    here = prices or (path if kept else None)
    elsewhere = _elsewhere([each for each in regions if each != region])
    if not keys:
        return here, f"there is no price to ask for in {region}{elsewhere}"
    answers = ask(connect(), keys, region)
    keep(path, answers, datetime.now(UTC).date())
    return (path if answers.prices else here), _said(answers, path) + elsewhere


def _lacking(bill: Bill, region: str) -> list[str]:
    return [
        key
        for line in bill.lines
        if line.price is None and line.region == region
        for key in line.keys
        if key != UNPRICED
    ]


def _said(answers: Answers, path: Path) -> str:
    many, every = len(answers.prices), len(answers.prices) + len(answers.without)
    kept = f"; {path} keeps them" if many else ""
    lines = [f"AWS's price list has {many} of {every} prices for {answers.region}{kept}"]
    return "\n".join([*lines, *(f"  {key}: {why}" for key, why in answers.without.items())])


def _elsewhere(regions: Sequence[str]) -> str:
    """Where else prices are unknown. A book that says `region` itself is asked for there."""
    named = ", ".join(each or "no known region" for each in regions)
    way = "a book with its `region: ...`, named with --prices, is filled for another"
    return f"\n  not asked, because a book has the prices of one region: {named}; {way}" if named else ""
