"""A service's growth, from the file's words to what a release carries of it."""

from datetime import datetime

from crossfade import cron
from crossfade.core.job import Moment, Scale
from crossfade.file.cloud import compute
from crossfade.file.model import App, Service


def growth(app: App, service: Service) -> Scale | None:
    """None where nothing but us makes more or fewer of it, or where Terraform says all of that."""
    scale = service.scale
    if scale is None or app.platform != "aws" or app.cloud.compute.kind != "fargate":
        return None
    moments = (_moment(name, moment, *scale.bounds(moment)) for name, moment in sorted(scale.schedule.items()))
    return Scale(least=scale.min, most=scale.max, moments=tuple(moments))


def _moment(name: str, moment: compute.Moment, least: int, most: int) -> Moment:
    at = datetime.fromisoformat(moment.at).replace(tzinfo=cron.zone(moment.timezone)) if moment.at else None
    return Moment(
        name=name,
        least=least,
        most=most,
        schedule=" ".join((moment.schedule or "").split()),
        timezone=moment.timezone,
        at=at.timestamp() if at else 0.0,
    )
