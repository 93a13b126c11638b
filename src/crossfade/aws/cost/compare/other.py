"""The other bill of a comparison: of another environment, of a file, or of the same file at another revision of git."""

import json
import subprocess
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from crossfade.aws.cost.bill.bill import Bill, Line
from crossfade.aws.cost.bill.charge import Amount
from crossfade.aws.cost.catalog.catalog import Area
from crossfade.aws.cost.check.bill import table_bill
from crossfade.aws.cost.file import of_app
from crossfade.aws.cost.money import exact
from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.file.load import load
from crossfade.file.model import App
from crossfade.file.reading.document import read

_MOST = Decimal(10) ** 12
_SECONDS = 20.0  # git answers at once, unless its repository is on a network that hangs


def at_revision(file: Path, revision: str, environment: str, prices: Path | None) -> Bill:
    """The bill of the file as it was committed at a revision of git.

    Raises WrongInputError: no repository, no such revision, or the file is not in it.
    """
    folder = file.absolute().parent
    _git(folder, "rev-parse", "--show-toplevel", otherwise=f"{folder} is in no git repository")
    commit = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    found = _git(folder, *commit, otherwise=f'git knows no revision "{revision}"').decode().strip()
    raw = _git(folder, "show", f"{found}:./{file.name}", otherwise=f"{file} is not in revision {revision}")
    with TemporaryDirectory() as empty:
        was = Path(empty) / file.name
        was.write_bytes(raw)
        bill = of_app(_on_aws(load(was, environment, called=f"{file} at {revision}")), prices)
    return Bill(title=f"{environment} at {revision}", region=bill.region, book=bill.book, lines=bill.lines)


def _git(folder: Path, *words: str, otherwise: str) -> bytes:
    try:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, check=False, timeout=_SECONDS)
    except FileNotFoundError:
        raise PlatformError("there is no git on this machine", "install it, or compare with a file") from None
    except subprocess.TimeoutExpired:
        raise PlatformError(f"git did not answer in {_SECONDS:g} seconds", "compare with a file") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().removeprefix("fatal: ").splitlines()
        raise WrongInputError(otherwise, f"git says: {said[0]}" if said else "name a commit, a branch or a tag")
    return done.stdout


@dataclass(frozen=True)
class OtherBill:
    """The other bill, which `--compare` names."""

    words: str
    file: Path | None  # the file whose environment is on the other side
    environment: str
    prices: Path | None

    def bill(self) -> Bill:
        """An environment of the same file, a bill saved with --json, a table that a team wrote, or another file."""
        path = Path(self.words)
        if not path.is_file():
            if self.file is None:
                raise WrongInputError(f"there is no file {self.words}", "name a bill, a table or a crossfade.yaml")
            return of_app(_on_aws(load(self.file, self.words)), self.prices)
        if path.suffix == ".json":
            return saved_bill(path)
        if read(path, str(path)).get("lines") is not None:
            return table_bill(path)
        bill = of_app(_on_aws(load(path, self.environment)), self.prices)
        return Bill(title=f"{self.environment} in {path}", region=bill.region, book=bill.book, lines=bill.lines)


def _on_aws(app: App) -> App:
    if app.platform != "aws":
        raise WrongInputError(f"{app.environment} is not on AWS, so it has no bill", "platform: aws")
    return app


def saved_bill(path: Path) -> Bill:
    """The first bill of what `crossfade cost --json` printed."""
    try:
        (data, *_) = json.loads(path.read_text(encoding="utf-8").strip().splitlines()[-1])["bills"]
        lines = tuple(_line(each) for each in data["lines"])
        region, book = _word(data["region"]), _word(data["prices"])
        return Bill(title=f"{data['title']} in {path}", region=region, book=book, lines=lines)
    except (OSError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        raise WrongInputError(f"{path} is not a bill", "crossfade cost -e prod --json > bill.json makes one") from None


def _line(data: dict[str, Any]) -> Line:
    price, monthly = data["unit_price"], data["monthly"]
    item, unit, source, assumes, note = (_word(data[key]) for key in ("item", "unit", "source", "assumes", "note"))
    return Line(
        area=cast("Area", _word(data["area"])),
        item=item,
        quantity=_amount(data["quantity"]),
        unit=unit,
        price=None if price is None else _number(price),
        monthly=None if monthly is None else _amount(monthly),
        source=source,
        addresses=tuple(_word(address) for address in data["addresses"]),
        assumes=assumes,
        usage=_word(data["changed_by"] or "").removeprefix("cloud.usage."),
        note=note,
        rate=tuple((Decimal(1), _word(key)) for key in data["keys"]),
    )


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not text")
    return value


def _amount(data: dict[str, Any]) -> Amount:
    return Amount(*(_number(data[end]) for end in ("min", "expected", "max")))


def _number(value: Any) -> Decimal:
    """A float as it was printed, so that cents stay cents."""
    number = exact(value)
    if not 0 <= number < _MOST:
        raise ValueError("not an amount of anything")
    return number
