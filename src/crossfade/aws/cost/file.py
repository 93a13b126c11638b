"""Bills of files: where an environment becomes resources, usage and prices."""

from dataclasses import replace
from pathlib import Path

from crossfade import cron
from crossfade.aws.choose import on_aws
from crossfade.aws.cost.bill.bill import Bill, bill
from crossfade.aws.cost.prices.book import PriceBook, list_prices, own
from crossfade.aws.resources.expect import expected
from crossfade.core.errors import WrongInputError
from crossfade.file.cloud.compute import Scale
from crossfade.file.cloud.month import Month
from crossfade.file.model import App

_FOUR_WEEKS = 28 * 86_400.0
_SHORTEST = 60.0  # seconds that Fargate bills at least: https://aws.amazon.com/fargate/pricing/


def of_app(app: App, prices: Path | None = None) -> Bill:
    """The bill of one environment, from the file alone."""
    region = app.cloud.region
    return bill(expected(app), month(app), book(region, prices), title=app.environment, region=region)


def month(app: App) -> Month:
    """What `cloud.usage` says, and the hours of jobs that follow from their schedules."""
    hours: dict[str, float] = {}
    for name, job in app.jobs.items():
        each, service = app.cloud.usage.jobs.get(name, _SHORTEST), app.service_of(job)
        times = cron.times_a_month(job.schedule, job.timezone)
        hours[service] = hours.get(service, 0.0) + times * max(each, _SHORTEST) / 3600
    said = app.cloud.usage.month
    scaled = ((name, service.replicas, service.scale) for name, service in app.services.items())
    usual = {name: _on_average(replicas, scale) for name, replicas, scale in scaled if scale and scale.schedule}
    return replace(said, jobs=hours, instances={**usual, **said.instances})


def _on_average(replicas: int, scale: Scale) -> float:
    """Instances in four weeks: as many as `replicas`, within the bounds that hold. What comes once does not count."""
    changes = sorted(
        (at, scale.bounds(moment))
        for moment in scale.schedule.values()
        if moment.schedule
        for at in cron.in_four_weeks(moment.schedule, moment.timezone)
    )
    if not changes:
        return replicas
    ends = [*(at for at, _ in changes[1:]), changes[0][0] + _FOUR_WEEKS]  # the last one holds until the first again
    spans = zip(changes, ends, strict=True)
    whole = sum((end - at) * min(max(replicas, least), most) for (at, (least, most)), end in spans)
    return whole / _FOUR_WEEKS


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
