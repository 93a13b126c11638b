"""`crossfade cost check`: is the table that a team wrote right?"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crossfade.cli.call import Call, called
from crossfade.telling.text import plural

if TYPE_CHECKING:
    from crossfade.aws.cost.check.check import TableVerdict
    from crossfade.aws.cost.check.line import LineFinding
    from crossfade.aws.cost.check.money import Money

FOUND = 3  # exit code, as of `crossfade audit`


@click.command(
    epilog="Examples: crossfade cost check bill.yaml | crossfade cost check bill.yaml --region us-east-1 --json"
)
@called(state=False)
@click.argument("table", metavar="BILL.yaml", type=click.Path(path_type=Path))
@click.option("--region", metavar="REGION", help="Whose prices are meant. Default: the table's own region.")
@click.option("--prices", type=click.Path(path_type=Path), help="A price book of your own, in YAML.")
def check(call: Call, *, table: Path, region: str | None, prices: Path | None) -> int:
    """Say which sums and prices of a table are wrong, and by how much.

    The table is a YAML file: its region, its lines (item, monthly as 22.50 or 8-15, and so that the price can be
    checked: kind and quantity, unit_price), its total, and what exists (public_hosts, balancer_zones, nat_gateways).

    Exit code 0 when all is right, 3 when something is not, 2 when the file is no such table.
    """
    from crossfade.aws.cost.check.check import check as checked
    from crossfade.aws.cost.check.table import in_region, read_table
    from crossfade.aws.cost.file import book
    from crossfade.aws.cost.prices.book import list_prices, regions

    written = read_table(table)
    written = in_region(written, region) if region else written
    elsewhere = {name: list_prices(name) for name in regions() if name != written.region}
    verdict = checked(written, book(written.region, prices), elsewhere)
    call.answer({"file": str(table), "region": written.region, **_data(verdict)}, _text(table, verdict))
    return FOUND if verdict.findings else 0


def _text(table: Path, verdict: "TableVerdict") -> str:
    count = plural(len(verdict.findings), "finding") if verdict.findings else "all that can be checked is right"
    lines = [f"{table}: {count}"]
    for finding in verdict.findings:
        lines += ["", *_told(finding)]
    for title, items in (
        ("Right:", verdict.right),
        ("Taken as they stand, because they do not say what they pay for:", verdict.taken),
        ("Not checked, because nobody here knows the price:", verdict.unpriced),
    ):
        lines += ["", title, *(f"  {item}" for item in items)] if items else []
    stated = f", the table says {verdict.stated}" if verdict.stated else ""
    return "\n".join([*lines, "", f"The lines add up to {verdict.added}; put right, to {verdict.mended}{stated}."])


def _told(finding: "LineFinding") -> list[str]:
    says = "not in the table" if finding.id == "missing" else f"says {finding.says}"
    return [
        f"{finding.item}: {finding.found}",
        f"  {says}, should be {finding.should} ({finding.off.signed})",
        f"  {finding.arithmetic}",
        *([f"  price: {finding.source}"] if finding.source else []),
    ]


def _data(verdict: "TableVerdict") -> dict[str, Any]:
    return {
        "right": not verdict.findings,
        "findings": [
            {
                "id": finding.id,
                "item": finding.item,
                "found": finding.found,
                "says": _ends(finding.says),
                "should": _ends(finding.should),
                "off": _ends(finding.off),
                "arithmetic": finding.arithmetic,
                "source": finding.source,
            }
            for finding in verdict.findings
        ],
        "confirmed": list(verdict.right),
        "taken": list(verdict.taken),
        "unpriced": list(verdict.unpriced),
        "stated": _ends(verdict.stated) if verdict.stated else None,
        "added": _ends(verdict.added),
        "mended": _ends(verdict.mended),
    }


def _ends(money: "Money") -> dict[str, float]:
    return {"low": float(money.low), "high": float(money.high)}
