"""The checks of the file, run."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime

from crossfade.aws.audit.finding import Finding, Spot
from crossfade.aws.audit.on_file import data, edge, network, promises, secrets, services, watch
from crossfade.aws.audit.rule import rules
from crossfade.file.load import Loaded
from crossfade.file.model import App

# Rule -> what finds it.
OF_SERVICES: Mapping[str, Callable[[App], Iterator[Spot]]] = services.ALWAYS | secrets.ALWAYS
OF_CLOUD: Mapping[str, Callable[[App], Iterator[Spot]]] = (
    network.CHECKS | data.CHECKS | edge.CHECKS | secrets.CHECKS | watch.CHECKS | promises.CHECKS
)
# Those that depend on the day.
BY_DAY: Mapping[str, Callable[[App, date], Iterator[Spot]]] = data.BY_DAY
OF_ACCOUNT: Mapping[str, Callable[[Mapping[str, App]], Iterator[Spot]]] = watch.OF_ACCOUNT
RULES = frozenset({*OF_SERVICES, *OF_CLOUD, *BY_DAY, *OF_ACCOUNT})  # those that look at the file


def audit_file(loaded: Loaded, *, day: date | None = None) -> Iterator[Finding]:
    """What is dangerous in one environment on `day`, today unless it is given.

    What concerns AWS is only asked of an environment that is there.
    """
    app, today = loaded.app, day or datetime.now(UTC).date()
    for id_, check in OF_SERVICES.items():
        yield from _findings(id_, check(app), loaded)
    if app.platform == "aws":
        for id_, check in OF_CLOUD.items():
            yield from _findings(id_, check(app), loaded)
        for id_, dated in BY_DAY.items():
            yield from _findings(id_, dated(app, today), loaded)
        there = {name: other for name, other in loaded.environments.items() if other.platform == "aws"}
        for id_, of_all in OF_ACCOUNT.items():
            yield from _findings(id_, of_all(there), loaded)


def _findings(id_: str, spots: Iterator[Spot], loaded: Loaded) -> Iterator[Finding]:
    rule = rules()[id_]
    severity = rule.weight(production=loaded.app.production)
    if severity is None:
        return
    for spot in spots:
        where, place = ".".join(map(str, spot.keys)), loaded.document.at(spot.keys).place
        yield Finding(rule=rule, severity=severity, what=spot.what, where=where, place=place)
