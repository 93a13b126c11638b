"""Bills of Terraform plans. Nothing of the file's model is needed, so that they come at once."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from crossfade.aws.cost.bill.bill import Bill, bill
from crossfade.aws.cost.prices.book import PriceBook, list_prices, own
from crossfade.aws.cost.untold import untold
from crossfade.aws.resources.plan import MISREAD, open_plan
from crossfade.core.errors import WrongInputError
from crossfade.file.cloud.month import Month


def of_plan(plan: Path, usage: Month, region: str | None = None, prices: Path | None = None) -> Bill:
    """The bill of a Terraform plan, each resource by the prices of its region. `region` is where the plan says none."""
    read = open_plan(plan).on_aws(str(plan)).placed(region)
    books = _books(prices)
    home = read.region or ""
    try:
        made = bill(read.resources, usage, books(home or None), title=plan.name, region=home, books=books)
        return replace(made, lacks=(*read.lacks, *untold(read.resources)))
    except MISREAD as error:
        raise WrongInputError(
            f"{plan} has a value that no plan has: {error!r}", "terraform show -json PLAN > plan.json"
        ) from None


def _books(prices: Path | None) -> Callable[[str | None], PriceBook]:
    """The book of each region of a plan, with a team's own over those that it is for."""
    theirs = own(prices) if prices else None

    def found(region: str | None) -> PriceBook:
        listed = list_prices(region or "")
        return theirs.over(listed) if theirs and theirs.region in ("", region) else listed

    return found
