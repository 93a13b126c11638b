"""From what was played to what is told of production."""

from collections.abc import Iterator
from contextlib import suppress

from crossfade.core.errors import CrossfadeError
from crossfade.rehearse.cast import Both, Cast
from crossfade.rehearse.course import course
from crossfade.rehearse.estimate import USUAL_SHARE, Need
from crossfade.rehearse.journeys import shares
from crossfade.rehearse.paper import RehearsalAccount
from crossfade.rehearse.play import USUAL, Played


def account_of(both: Both, cast: Cast, faster: float, played: Played, sickness: str) -> RehearsalAccount:
    """All of it, with the sums."""
    took = {one["rollout"]["service"].rpartition("/")[2]: one["rollout"]["seconds"] for one in played.results}
    return RehearsalAccount(
        cast=cast,
        faster=faster,
        played=played,
        courses={role.name: course(role, took.get(role.name) or 0.0) for role in cast.roles},
        needs=tuple(_needs(both, cast, played)),
        hour=_hour(both),
        sickness=sickness,
    )


def _needs(both: Both, cast: Cast, played: Played) -> Iterator[Need]:
    quiet = next(one for one in played.book.commands if one.name == USUAL)
    asked = both.app.cloud.targets.requests or (quiet.tally.requests / quiet.seconds if quiet.seconds else 0.0)
    share_of = shares([role.plan for role in cast.roles], played.book)
    for role in cast.roles:
        if role.plan.kind != "web":
            continue
        scale = both.app.services[role.name].scale
        spent = played.processor.get(f"{both.app.name}/{role.name}")
        share = share_of[role.name]
        answered = quiet.tally.requests * share
        real = role.by != "a stand-in" and spent is not None and answered
        yield Need(
            service=role.name,
            requests=asked * share,
            cpu_ms=1000 * (spent or 0.0) / answered if real else None,
            cores=role.plan.resources.cpu,
            share=scale.cpu if scale and scale.cpu else USUAL_SHARE,
            a_minute=scale.requests if scale else None,
            least=scale.min if scale else role.plan.replicas,
            most=scale.max if scale else role.plan.replicas,
        )


def _hour(both: Both) -> float | None:
    """What AWS takes for an hour of the second fleet; None where the environment is not there."""
    if both.app.platform != "aws":
        return None
    from crossfade.aws.cost.file import of_app  # noqa: PLC0415  prices are read for who has a bill

    with suppress(CrossfadeError):
        return float(of_app(both.app).beside)
    return None
