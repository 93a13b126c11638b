"""One rule a proposal: which lines it makes cheaper, to what, and what it takes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from crossfade.aws.cost.bill.bill import Line
from crossfade.aws.cost.money import plain
from crossfade.aws.cost.savings.ground import Ground


@dataclass(frozen=True, slots=True)
class Cheaper:
    """What a line comes to, and how that was reckoned."""

    monthly: Decimal
    how: str


@dataclass(frozen=True, slots=True)
class Unpriced:
    """The rule concerns the line, but nobody here knows the price that it needs."""

    key: str


# The line, what is known beside it, and the rule's rate as a fraction; None when the rule does not concern the line.
Then = Callable[[Line, Ground, Decimal], Cheaper | Unpriced | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SavingsRule:
    """A way to pay less."""

    id: str
    title: str
    then: Then
    takes: str
    source: str = "the price book"
    only: Literal["", "production", "development"] = ""
    instead_of: str = ""  # rules with the same word exclude each other

    def fits(self, ground: Ground) -> bool:
        return not self.only or (self.only == "production") == ground.production


def _about(line: Line, *prefixes: str) -> bool:
    return any(key.startswith(prefix) for key in line.keys for prefix in prefixes)


def _expected(line: Line) -> Decimal:
    return line.monthly.expected if line.monthly is not None else Decimal(0)


def _off(*prefixes: str) -> Then:
    """The rate off the whole line."""

    def then(line: Line, _ground: Ground, rate: Decimal) -> Cheaper | None:
        if not _about(line, *prefixes):
            return None
        return Cheaper(_expected(line) * (1 - rate), f"{plain(100 * rate)} % off")

    return then


def _off_the_least(*prefixes: str) -> Then:
    """The rate off what runs at all hours: a commitment is paid in quiet hours too."""

    def then(line: Line, _ground: Ground, rate: Decimal) -> Cheaper | None:
        if not _about(line, *prefixes) or any(".spot" in key for key in line.keys) or line.monthly is None:
            return None
        least = line.monthly.least
        return Cheaper(_expected(line) - least * rate, f"{plain(100 * rate)} % off {least:,.2f}, which always runs")

    return then


def _off_the_rest(*prefixes: str) -> Then:
    """The rate off what runs above the least: what may be taken away again."""

    def then(line: Line, _ground: Ground, rate: Decimal) -> Cheaper | None:
        if not _about(line, *prefixes) or any(".x86" not in key for key in line.keys) or line.monthly is None:
            return None
        rest = _expected(line) - line.monthly.least
        return Cheaper(
            _expected(line) - rest * rate, f"{plain(100 * rate)} % off {rest:,.2f}, what runs above the least"
        )

    return then


def _priced_as(swaps: Mapping[str, str], *prefixes: str) -> Then:
    """The same quantity at the price of something else in the book."""

    def then(line: Line, ground: Ground, _rate: Decimal) -> Cheaper | Unpriced | None:
        rate = [(share, _swapped(key, swaps)) for share, key in line.rate]
        if not _about(line, *prefixes) or tuple(rate) == line.rate:
            return None
        if unknown := [key for _, key in rate if ground.book.price(key).usd is None]:
            return Unpriced(unknown[0])
        price = sum((share * (ground.book.price(key).usd or 0) for share, key in rate), Decimal(0))
        quantity = line.quantity.expected
        return Cheaper(quantity * price, f"{plain(quantity)} {line.unit} x {plain(price)}")

    return then


def _swapped(key: str, swaps: Mapping[str, str]) -> str:
    for old, new in swaps.items():
        key = key.replace(old, new)
    return key


def _without(free: Mapping[str, int]) -> Then:
    """What is above a free quantity."""

    def then(line: Line, _ground: Ground, _rate: Decimal) -> Cheaper | None:
        given = next((count for prefix, count in free.items() if _about(line, prefix)), None)
        if given is None or line.price is None:
            return None
        rest = max(line.quantity.expected - given, Decimal(0))
        return Cheaper(rest * line.price, f"the first {given:,} {line.unit} are free")

    return then


def _nat_instance(line: Line, ground: Ground, _rate: Decimal) -> Cheaper | Unpriced | None:
    """One host, however many gateways there were; it forwards for nothing."""
    key = f"ec2.hour.{ground.nat_class}"
    price = ground.book.price(key).usd
    if not _about(line, "nat."):
        return None
    if price is None:
        return Unpriced(key)
    if _about(line, "nat.gb"):
        return Cheaper(Decimal(0), "a host forwards for nothing")
    return Cheaper(ground.hours * price, f"one {ground.nat_class}: {plain(ground.hours)} x {plain(price)}")


def _endpoints(line: Line, ground: Ground, _rate: Decimal) -> Cheaper | Unpriced | None:
    price = ground.book.price("endpoint.hour").usd
    if not _about(line, "nat.") or not ground.endpoints:
        return None
    if price is None:
        return Unpriced("endpoint.hour")
    if _about(line, "nat.gb"):
        return Cheaper(Decimal(0), "nothing goes through NAT")
    how = f"{ground.endpoints} endpoints x {plain(ground.hours)} x {plain(price)}"
    return Cheaper(ground.endpoints * ground.hours * price, how)


_SINGLE = _priced_as({".multi": ".single"}, "rds.")


def _one_zone(line: Line, ground: Ground, rate: Decimal) -> Cheaper | Unpriced | None:
    """A database without its standby, shards without replicas."""
    if _about(line, "elasticache.hour.") and ground.replicas:
        return Cheaper(_expected(line) / (1 + ground.replicas), f"1 node a shard instead of {1 + ground.replicas}")
    return _SINGLE(line, ground, rate)


def _one_gateway(line: Line, ground: Ground, _rate: Decimal) -> Cheaper | None:
    gateways = line.quantity.expected / ground.hours
    if not _about(line, "nat.hour") or gateways <= 1:
        return None
    return Cheaper(_expected(line) / gateways, f"1 gateway instead of {plain(gateways, 1)}")


_WORKING, _WEEK = 12 * 5, 24 * 7  # hours in which somebody works on it


def _at_work(line: Line, _ground: Ground, _rate: Decimal) -> Cheaper | None:
    if not _about(line, "fargate.", "ec2.hour.", "rds.hour."):
        return None
    return Cheaper(_expected(line) * _WORKING / _WEEK, f"{_WORKING} of {_WEEK} hours of a week")


_NIGHT = 8


def _one_at_night(line: Line, ground: Ground, _rate: Decimal) -> Cheaper | None:
    """All but one of several sleep for the night."""
    if not _about(line, "fargate.") or line.price is None:
        return None
    count = line.quantity.expected / ground.hours
    if count <= 1:
        return None
    share = (count - 1) / count * _NIGHT / 24
    return Cheaper(_expected(line) * (1 - share), f"1 instead of {plain(count, 1)} in {_NIGHT} of 24 hours")


_SHORT = {True: 30, False: 7}  # days of logs that production and development can do with


def _shorter_logs(line: Line, ground: Ground, _rate: Decimal) -> Cheaper | None:
    days = _SHORT[ground.production]
    if not _about(line, "logs.stored-gb-month") or ground.log_days <= days:
        return None
    return Cheaper(_expected(line) * days / ground.log_days, f"{days} of {ground.log_days} days")


def _aged(line: Line, ground: Ground, rate: Decimal) -> Cheaper | None:
    if not _about(line, "s3.gb-month.standard") or line.usage.removeprefix("buckets.") not in ground.unmoved:
        return None
    return Cheaper(
        _expected(line) * (1 - rate), f"{plain(100 * rate)} % off: half of it is older than 30 days, at 45 % less"
    )


_ARM = {".x86": ".arm", ".t3.": ".t4g.", "ec2.hour.t2.": "ec2.hour.t4g."}
_PAGES = "https://aws.amazon.com"

RULES: tuple[SavingsRule, ...] = (
    SavingsRule(
        id="single-az",
        title="Development in one zone",
        then=_one_zone,
        takes="database: {multi_az: false}, cache: {replicas: 0}; when that zone fails, all does",
        only="development",
    ),
    SavingsRule(
        id="one-nat",
        title="One NAT gateway for development",
        then=_one_gateway,
        takes="network: {nat: one}; no way out of the other zones while its zone is down",
        only="development",
        instead_of="nat",
    ),
    SavingsRule(
        id="free-tier",
        title="What each account has for nothing",
        then=_without(
            {
                "cloudwatch.alarm-month": 10,
                "cloudwatch.metric-month": 10,
                "cloudwatch.dashboard-month": 3,
                "logs.in-gb": 5,
                "codepipeline.month": 1,
                "codebuild.minute.small": 100,
            }
        ),
        takes="an account in which nothing else uses it up",
        source=f"{_PAGES}/cloudwatch/pricing, {_PAGES}/codepipeline/pricing, {_PAGES}/codebuild/pricing",
    ),
    SavingsRule(
        id="arm",
        title="ARM instead of x86",
        then=_priced_as(_ARM, "fargate.", "ec2.hour.", "rds.hour.", "elasticache.hour."),
        takes="images for arm64, and compute: {architecture: arm} or classes of the t4g family",
        instead_of="arm or spot",
    ),
    SavingsRule(
        id="fargate-spot",
        title="Spare capacity for tasks above the least",
        then=_off_the_rest("fargate."),
        takes="compute: {spot: 100%}; a task may get two minutes' notice. x86 only",
        instead_of="arm or spot",
    ),
    SavingsRule(
        id="nat-instance",
        title="A host as NAT instead of gateways",
        then=_nat_instance,
        takes="network: {nat: instance}; one host to patch, and no way out while it is down",
        instead_of="nat",
    ),
    SavingsRule(
        id="endpoints",
        title="Endpoints instead of NAT gateways",
        then=_endpoints,
        takes="network: {nat: none, endpoints: [s3, ecr, logs, secretsmanager]}, for apps that call nobody but AWS",
        instead_of="nat",
    ),
    SavingsRule(
        id="nights",
        title="Development sleeps at night and on weekends",
        then=_at_work,
        takes="scheduled actions that start it at 8 and stop it at 20 on working days",
        source=f"{_PAGES}/solutions/implementations/instance-scheduler-on-aws",
        only="development",
        instead_of="commitment",
    ),
    SavingsRule(
        id="one-at-night",
        title="One task at night",
        then=_one_at_night,
        takes='scale: {schedule: {night: {schedule: "0 23 * * *", min: 1}, day: {schedule: "0 7 * * *"}}}',
        only="production",
    ),
    SavingsRule(
        id="savings-plan",
        title="Compute Savings Plan, 1 year, nothing upfront",
        then=_off_the_least("fargate.", "ec2.hour."),
        takes="a commitment for a year, paid even when nothing runs",
        instead_of="commitment",
    ),
    SavingsRule(
        id="reserved-database",
        title="Reserved database, 1 year, nothing upfront",
        then=_off("rds.hour."),
        takes="a commitment for a year to this class; its disk and backups cost as before",
        only="production",
    ),
    SavingsRule(
        id="reserved-cache",
        title="Reserved cache nodes, 1 year, nothing upfront",
        then=_off("elasticache.hour."),
        takes="a commitment for a year to this class",
        only="production",
    ),
    SavingsRule(
        id="log-level",
        title="Log warnings instead of everything",
        then=_off("logs."),
        takes="LOG_LEVEL: warning, and no access log of health checks",
    ),
    SavingsRule(
        id="log-retention",
        title="Keep logs shorter",
        then=_shorter_logs,
        takes="logs: {keep: 30d} in production, 7d elsewhere",
        source=f"{_PAGES}/cloudwatch/pricing",
    ),
    SavingsRule(
        id="storage-classes",
        title="Objects that grow old move to Standard-IA",
        then=_aged,
        takes="buckets: {NAME: {moves: [{after: 30d, to: standard-ia}]}}; reading them costs extra",
    ),
)
