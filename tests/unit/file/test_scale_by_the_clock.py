"""Bounds of scaling that change by the clock: what a file may say, and what a release carries of it."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from crossfade.core.job import Moment, Scale
from crossfade.file.model import App
from crossfade.file.settle import settle


def scaled(compute: str = "fargate", **schedule: Any) -> App:
    scale = {"min": 2, "max": 10, "schedule": schedule}
    web = {"image": "acme/web", "resources": {"cpu": 0.5, "memory": "1G"}, "replicas": 2, "scale": scale}
    given = {"app": "shop", "environment": "prod", "platform": "aws", "cloud": {"compute": {"kind": compute}}}
    return App.model_validate({**given, "services": {"web": web}})


def test_a_release_carries_its_bounds() -> None:
    """What a moment does not say is as at all other times; one that comes once is a moment of the epoch."""
    night = {"schedule": "0  1 * * *", "timezone": "Asia/Seoul", "min": 1}
    sale = {"at": "2026-12-01T19:50", "timezone": "Asia/Seoul", "max": 20}
    (service,) = settle(scaled(night=night, sale=sale), Path("/"))
    assert service.scale == Scale(
        least=2,
        most=10,
        moments=(
            Moment(name="night", least=1, most=10, schedule="0 1 * * *", timezone="Asia/Seoul"),
            Moment(name="sale", least=2, most=20, timezone="Asia/Seoul", at=1796122200.0),
        ),
    )


def test_the_moment_that_came_last_holds() -> None:
    scale = Scale(least=2, most=10, moments=(Moment(name="a", least=1, most=3), Moment(name="b", least=4, most=5)))
    assert scale.bounds(lambda _: None) == (2, 10)
    assert scale.bounds(lambda one: 7.0 if one.name == "a" else None) == (1, 3)
    assert scale.bounds(lambda one: 7.0 if one.name == "a" else 8.0) == (4, 5)


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ({"min": 1}, "a moment that is given twice or not at all; allowed: schedule for each time, or at for once"),
        ({"schedule": "0 1 * * *", "at": "2026-12-01T19:50"}, "a moment that is given twice or not at all"),
        ({"schedule": "0 1 13 * FRI"}, 'schedule: "0 1 13 * FRI", for which AWS has no words'),
        ({"at": "2026-02-30T10:00"}, 'at: "2026-02-30T10:00"; allowed: a day and a time that exist'),
        ({"schedule": "0 1 * * *", "min": 11}, "schedule.night: min 11 above max 10; allowed: a max of 11 or more"),
    ],
)
def test_a_moment_that_cannot_be_meant_is_refused(moment: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        scaled(night=moment)
    assert said in str(refused.value)


def test_hosts_have_no_schedule() -> None:
    with pytest.raises(ValidationError, match=r"a schedule for hosts; allowed: compute: \{kind: fargate\}"):
        scaled("autoscaling", night={"schedule": "0 1 * * *", "min": 2})
