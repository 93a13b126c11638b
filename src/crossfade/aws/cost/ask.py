"""Bills of files: where an environment becomes resources, usage and prices."""

from pathlib import Path

from crossfade.aws.choose import on_aws
from crossfade.aws.cost.bill.bill import Bill, bill
from crossfade.aws.cost.prices.book import PriceBook, list_prices, own
from crossfade.aws.resources.expect import expected
from crossfade.core.errors import WrongInputError
from crossfade.file.model import App


def of_app(app: App, prices: Path | None = None) -> Bill:
    """The bill of one environment, from the file alone."""
    cloud = app.cloud
    return bill(
        expected(app), cloud.usage.month, book(cloud.region, prices), title=app.environment, region=cloud.region
    )


def of_file(path: Path, environment: str | None = None, prices: Path | None = None) -> tuple[Bill, ...]:
    """The bills of a file's environments on AWS."""
    return tuple(of_app(app, prices) for app in on_aws(path, [environment]))


def book(region: str, prices: Path | None = None) -> PriceBook:
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
