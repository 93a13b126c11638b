"""Who can read the data, and what of it is left after a failure."""

from collections.abc import Iterator
from datetime import date

from crossfade.aws.audit.finding import Spot
from crossfade.aws.audit.limits import LEAST_BACKUPS
from crossfade.aws.resources.support import support
from crossfade.file.model import App


def public_database(app: App) -> Iterator[Spot]:
    if app.cloud.database and app.cloud.database.public:
        yield Spot(("cloud", "database", "public"), "the database can be reached from the internet")


def plain_connections(app: App) -> Iterator[Spot]:
    if app.cloud.database and not app.cloud.database.tls:
        yield Spot(("cloud", "database", "tls"), "the database takes connections without TLS")


def no_backups(app: App) -> Iterator[Spot]:
    if app.cloud.database and not app.cloud.database.backups:
        yield Spot(("cloud", "database", "backups"), "0d: the database is never backed up")


def short_backups(app: App) -> Iterator[Spot]:
    if app.cloud.database and 0 < app.cloud.database.backups < LEAST_BACKUPS:
        yield Spot(("cloud", "database", "backups"), f"backups are gone after {app.cloud.database.backups} days")


def no_standby(app: App) -> Iterator[Spot]:
    database = app.cloud.database
    if database is not None and not database.multi_az:
        key, what = ("host", "on one host") if database.host else ("multi_az", "in one zone, without a standby")
        yield Spot(("cloud", "database", key), f"the database runs {what}")


def one_cache_node(app: App) -> Iterator[Spot]:
    if app.cloud.cache and not app.cloud.cache.replicas:
        yield Spot(("cloud", "cache", "replicas"), "no copy of the cache in another zone")


def no_snapshots(app: App) -> Iterator[Spot]:
    if app.cloud.cache and not app.cloud.cache.snapshots:
        yield Spot(("cloud", "cache", "snapshots"), "0d: no snapshot of the cache is kept")


def not_versioned(app: App) -> Iterator[Spot]:
    for name, bucket in app.cloud.buckets.items():
        if not bucket.versioned:
            yield Spot(("cloud", "buckets", name, "versioned"), f"bucket {name} forgets what is overwritten or deleted")


def past_support(app: App, day: date) -> Iterator[Spot]:
    """What AWS runs itself; on a host of one's own nobody charges for it."""
    database, cache = app.cloud.database, app.cloud.cache
    named = [
        *([("database", database.engine, database.version)] if database and not database.host else []),
        *([("cache", cache.engine, cache.version)] if cache else []),
    ]
    for key, engine, version in named:
        found = support(engine, version) if version else None
        if found is not None and found.ended(day):
            what = f"{engine} {found.version} is past its standard support since {found.since}"
            yield Spot(("cloud", key, "version"), what)


BY_DAY = {"CF-DAT-017": past_support}
CHECKS = {
    "CF-DAT-001": public_database,
    "CF-DAT-003": plain_connections,
    "CF-DAT-004": no_backups,
    "CF-DAT-005": short_backups,
    "CF-DAT-006": no_standby,
    "CF-DAT-007": one_cache_node,
    "CF-DAT-008": no_snapshots,
    "CF-DAT-009": not_versioned,
}
