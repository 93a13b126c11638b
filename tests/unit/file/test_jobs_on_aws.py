"""Jobs where AWS begins them: what it has no counterpart for is refused, with the way out."""

from typing import Any

import pytest
from pydantic import ValidationError

from crossfade.file.model import App


def with_job(compute: str = "fargate", **job: Any) -> App:
    web = {"image": "acme/web", "resources": {"cpu": 0.5, "memory": "1G"}}
    asked = {"command": "tidy", "schedule": "0 3 * * *", "timeout": "1h", **job}
    cloud = {"compute": {"kind": compute}, "usage": {"jobs": {"tidy": "5m"}}}
    given = {"app": "shop", "environment": "prod", "platform": "aws", "services": {"web": web}, "cloud": cloud}
    return App.model_validate({**given, "jobs": {"tidy": asked}})


@pytest.mark.parametrize("job", [{}, {"overlap": "queue"}, {"missed": "skip"}, {"timeout": "23h57m50s"}])
def test_a_job_that_ends_before_it_comes_again_is_taken(job: dict[str, Any]) -> None:
    """Then nothing can overlap, whatever the file says of that; a minute each is for being late and for starting."""
    assert with_job(**job).jobs["tidy"].command


@pytest.mark.parametrize(
    ("job", "said"),
    [
        (
            {"timeout": 0},
            "jobs.tidy.timeout: a job without a timeout on AWS, which begins the next run 1d later, whatever became",
        ),
        ({"timeout": "23h57m51s"}, "a timeout of 23h57m51s on AWS, which begins the next run 1d later"),
        ({"schedule": "* * * * *"}, "jobs.tidy.schedule: a run every 1m on AWS, where one takes so long to begin"),
        ({"schedule": "0 3 13 * FRI"}, 'jobs.tidy.schedule: "0 3 13 * FRI", for which AWS has no words'),
        ({"compute": "autoscaling"}, "jobs.tidy: a job on hosts of AWS; allowed: compute: {kind: fargate}"),
    ],
)
def test_what_aws_cannot_do_is_refused(job: dict[str, Any], said: str) -> None:
    """In one sentence: nobody holds a run back there, no schedule has both kinds of days, and hosts have none."""
    with pytest.raises(ValidationError) as refused:
        with_job(**job)
    assert said in str(refused.value)


def test_use_of_a_job_that_there_is_not_is_refused() -> None:
    web = {"image": "acme/web", "resources": {"cpu": 0.5, "memory": "1G"}}
    cloud = {"usage": {"jobs": {"tidy": "5m"}}}
    with pytest.raises(ValidationError, match=r'cloud\.usage\.jobs\.tidy: "tidy", which is not a job'):
        App.model_validate(
            {"app": "shop", "environment": "prod", "platform": "aws", "services": {"web": web}, "cloud": cloud}
        )
