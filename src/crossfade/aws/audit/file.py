"""The checks of the file, run."""

from collections.abc import Callable, Iterator, Mapping

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
OF_ACCOUNT: Mapping[str, Callable[[Mapping[str, App]], Iterator[Spot]]] = watch.OF_ACCOUNT


def audit_file(loaded: Loaded) -> Iterator[Finding]:
    """What is dangerous in one environment. What concerns AWS is only asked of an environment that is there."""
    app = loaded.app
    for id_, check in OF_SERVICES.items():
        yield from _findings(id_, check(app), loaded)
    if app.platform == "aws":
        for id_, check in OF_CLOUD.items():
            yield from _findings(id_, check(app), loaded)
        there = {name: other for name, other in loaded.environments.items() if other.platform == "aws"}
        for id_, of_all in OF_ACCOUNT.items():
            yield from _findings(id_, of_all(there), loaded)


def _findings(id_: str, spots: Iterator[Spot], loaded: Loaded) -> Iterator[Finding]:
    rule = rules()[id_]
    severity = rule.weight(production=loaded.app.production)
    for spot in spots if severity is not None else ():
        assert severity is not None  # noqa: S101  what the line above asked
        where, place = ".".join(map(str, spot.keys)), loaded.document.at(spot.keys).place
        yield Finding(rule=rule, severity=severity, what=spot.what, where=where, place=place)
