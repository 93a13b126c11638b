"""The ground of proposals for savings: the file, the price book, and assumptions with their source."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from crossfade.aws.cost.money import exact
from crossfade.aws.cost.prices.book import PriceBook
from crossfade.file.cloud.network import GATEWAYS
from crossfade.file.model import App


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of a line, in percent, and who says so."""

    percent: Decimal
    source: str


# What AWS gives depends on class, region and term, and is in no price book. These are for one year with nothing
# upfront; a file given with --assume replaces them.
RATES: Mapping[str, Rate] = {
    "reserved-database": Rate(
        Decimal(30), "up to 30 % (https://docs.archera.ai/help-center/cloud-service-intelligence/aws/database/rds)"
    ),
    "reserved-cache": Rate(
        Decimal(30),
        "assumed; AWS says up to 55 % for three years paid upfront "
        "(https://aws.amazon.com/blogs/database/new-size-flexibility-for-amazon-elasticache-reserved-nodes)",
    ),
    "savings-plan": Rate(Decimal(20), "about 20 % on Fargate (https://vantage.sh/blog/what-is-an-aws-savings-plan)"),
    "fargate-spot": Rate(Decimal(70), "up to 70 % (https://aws.amazon.com/fargate/pricing)"),
    "log-level": Rate(Decimal(50), "assumed: half of what is logged is below a warning"),
    "storage-classes": Rate(
        Decimal("22.5"), "assumed: half of it is old, at 45 % less (https://aws.amazon.com/s3/pricing)"
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the rules need to know beside the bill."""

    book: PriceBook
    rates: Mapping[str, Rate]
    production: bool = True
    hours: Decimal = Decimal(730)
    log_days: int = 0  # how long logs are kept; 0 is not known
    unmoved: tuple[str, ...] = ()  # buckets in which everything stays where it was written
    replicas: int = 0  # of each shard of the cache
    nat_class: str = "t4g.nano"
    endpoints: int = 0  # interface endpoints in all zones that would do instead of NAT

    def rate(self, rule: str) -> Decimal:
        """As a fraction: 0.31."""
        return self.rates[rule].percent / 100 if rule in self.rates else Decimal(0)

    def source(self, rule: str, default: str) -> str:
        return self.rates[rule].source if rule in self.rates else default


# ECR needs two interfaces (ecr.api and ecr.dkr); logs and secrets one each. What the app itself asks of the world
# still needs NAT, so this is for apps that talk to AWS alone.
_INSTEAD_OF_NAT = 4


def of_file(app: App, known: Ground) -> Ground:
    """With what the file says."""
    cloud = app.cloud
    has = sum(name not in GATEWAYS for name in cloud.network.endpoints)
    return replace(
        known,
        production=app.production,
        hours=exact(cloud.usage.hours),
        log_days=cloud.logs.keep,
        unmoved=tuple(name for name, bucket in cloud.buckets.items() if not bucket.moves),
        replicas=cloud.cache.replicas if cloud.cache else 0,
        nat_class=cloud.network.nat_instance,
        endpoints=max(_INSTEAD_OF_NAT - has, 0) * len(cloud.zones) if cloud.compute.kind == "fargate" else 0,
    )
