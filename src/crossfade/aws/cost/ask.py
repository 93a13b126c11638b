"""Bills of a file's environments and of plans: where files become resources, usage and prices."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from crossfade.aws.choose import on_aws
from crossfade.aws.cost.bill.bill import Bill, bill
from crossfade.aws.cost.prices.book import Book, list_prices, own
from crossfade.aws.resources.expect import expected
from crossfade.core.errors import WrongInputError
from crossfade.file.cloud.usage import Usage
from crossfade.file.model import App


def of_app(app: App, prices: Path | None = None) -> Bill:
    """The bill of one environment, from the file alone."""
    cloud = app.cloud
    return bill(expected(app), cloud.usage, book(cloud.region, prices), title=app.environment, region=cloud.region)


def of_file(path: Path, environment: str | None = None, prices: Path | None = None) -> tuple[Bill, ...]:
    """The bills of a file's environments on AWS."""
    return tuple(of_app(app, prices) for app in on_aws(path, [environment]))


def of_plan(plan: Path, usage: Usage, region: str | None = None, prices: Path | None = None) -> Bill:
    """The bill of a Terraform plan, each resource by the prices of its region. `region` is where the plan says none."""
    from crossfade.aws.resources.plan import open_plan  # noqa: PLC0415  a bill from the file need not wait for it

    read = open_plan(plan).on_aws(str(plan)).placed(region)
    books = _books(prices)
    home = read.region or ""
    try:
        made = bill(read.resources, usage, books(home or None), title=plan.name, region=home, books=books)
        return replace(made, lacks=read.lacks)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise WrongInputError(
            f"{plan} has a value that no plan has: {error!r}", "terraform show -json PLAN > plan.json"
        ) from None


def book(region: str, prices: Path | None = None) -> Book:
    """The list prices of a region, with a team's own over them."""
    listed = list_prices(region)
    if prices is None:
        return listed
    theirs = own(prices)
    if theirs.region not in ("", region):
        raise WrongInputError(
            f"{prices} has the prices of {theirs.region}, and what is billed is in {region}",
            "a book for that region, or one without `region` whose prices hold everywhere",
        )
    return theirs.over(listed)


def _books(prices: Path | None) -> Callable[[str | None], Book]:
    """The book of each region of a plan, with a team's own over those that it is for."""
    theirs = own(prices) if prices else None

    def found(region: str | None) -> Book:
        listed = list_prices(region or "")
        return theirs.over(listed) if theirs and theirs.region in ("", region) else listed

    return found
