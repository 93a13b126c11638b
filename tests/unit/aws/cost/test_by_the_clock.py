"""What the clock does to a bill: fewer tasks at night, and the minutes of jobs."""

from typing import Any

from crossfade.aws.cost.file import month, of_app
from crossfade.file.model import App


def shop(*, usage: dict[str, Any] | None = None, **web: Any) -> App:
    service = {"image": "acme/web", "resources": {"cpu": 1, "memory": "2G"}, "replicas": 2, **web}
    tidy = {"command": "tidy", "schedule": "0 3 * * *", "timeout": "1h"}
    given = {"app": "shop", "environment": "prod", "platform": "aws", "services": {"web": service}}
    return App.model_validate({**given, "jobs": {"tidy": tidy}, "cloud": {"region": "us-east-1", "usage": usage or {}}})


def test_nights_count_for_as_long_as_they_are() -> None:
    """One task from midnight to six and two for the rest of the day are 1.75 on average, unless the usage says so."""
    schedule = {"night": {"schedule": "0 0 * * *", "min": 1, "max": 1}, "day": {"schedule": "0 6 * * *"}}
    scale = {"min": 2, "max": 4, "schedule": schedule}
    assert month(shop(scale=scale)).instances == {"web": 1.75}
    assert month(shop(scale=scale, usage={"instances": {"web": 3}})).instances == {"web": 3}
    assert month(shop(scale={"min": 2, "max": 4})).instances == {}


def test_a_job_costs_a_minute_each_time_at_least() -> None:
    """Thirty and a bit of them make half an hour a month; ten minutes each are five hours."""
    short, long = (shop(usage=usage) for usage in ({"jobs": {"tidy": "5s"}}, {"jobs": {"tidy": "10m"}}))
    assert round(month(short).jobs["web"], 3) == 0.507
    (line,) = [line for line in of_app(long).lines if "jobs" in line.item]
    assert (line.item, round(float(line.quantity.expected), 2)) == ("Fargate web, jobs, 1 vCPU 2 GB", 5.07)
    assert line.usage == "jobs"
