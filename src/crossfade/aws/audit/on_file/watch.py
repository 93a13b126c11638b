"""Whether anybody would notice: alarms, who is told, logs, the bill, releases that nobody looked at."""

from collections.abc import Iterator, Mapping

from crossfade.aws.audit.finding import Spot
from crossfade.aws.audit.limits import LEAST_LOGS, MOST_LOGS
from crossfade.file.model import App

LEAST_LOGS_IN_PRODUCTION = 14  # days


def errors_unseen(app: App) -> Iterator[Spot]:
    if not any(alarm.on == "errors" for alarm in app.cloud.alarms):
        yield Spot(("cloud", "alarms"), "no alarm on `errors` (5xx answers)")


def sickness_unseen(app: App) -> Iterator[Spot]:
    if not any(alarm.on == "unhealthy-hosts" for alarm in app.cloud.alarms):
        yield Spot(("cloud", "alarms"), "no alarm on `unhealthy-hosts`")


def nobody_told(app: App) -> Iterator[Spot]:
    told = {"critical": app.cloud.notify.critical, "warning": app.cloud.notify.warning}
    for severity, contacts in told.items():
        count = sum(alarm.severity == severity for alarm in app.cloud.alarms)
        if count and not contacts:
            alarms = f"{count} {severity} alarm{'' if count == 1 else 's'}"
            yield Spot(("cloud", "notify", severity), f"nobody is told of {alarms}")


def logs_pile_up(app: App) -> Iterator[Spot]:
    if app.cloud.logs.keep > MOST_LOGS:
        yield Spot(("cloud", "logs", "keep"), f"logs are kept for {app.cloud.logs.keep} days")


def logs_gone(app: App) -> Iterator[Spot]:
    least = LEAST_LOGS_IN_PRODUCTION if app.production else LEAST_LOGS
    if app.cloud.logs.keep < least:
        yield Spot(("cloud", "logs", "keep"), f"logs are gone after {app.cloud.logs.keep} days")


def no_budget(app: App) -> Iterator[Spot]:
    if app.cloud.budget is None:
        yield Spot(("cloud", "budget"), "nobody is warned before the bill")


def full_disks_unseen(app: App) -> Iterator[Spot]:
    if app.cloud.compute.kind != "fargate" and app.cloud.compute.metrics is None:
        yield Spot(("cloud", "compute", "metrics"), "no agent on the hosts: memory and disks are not measured")


def unapproved(app: App) -> Iterator[Spot]:
    if app.cloud.pipeline and not app.cloud.pipeline.approve:
        yield Spot(("cloud", "pipeline", "approve"), f"each push to {app.cloud.pipeline.branch} is deployed at once")


def moving_tags(app: App) -> Iterator[Spot]:
    if _has_images(app) and not app.cloud.registry.immutable:
        yield Spot(("cloud", "registry", "immutable"), "a tag can be moved to another image")


def not_scanned(app: App) -> Iterator[Spot]:
    if _has_images(app) and not app.cloud.registry.scan:
        yield Spot(("cloud", "registry", "scan"), "images are not searched for known holes")


def _has_images(app: App) -> bool:
    return any(service.image is not None for service in app.services.values())


CHECKS = {
    "CF-OBS-001": errors_unseen,
    "CF-OBS-002": sickness_unseen,
    "CF-OBS-003": nobody_told,
    "CF-OBS-004": logs_pile_up,
    "CF-OBS-005": logs_gone,
    "CF-OBS-007": full_disks_unseen,
    "CF-CST-001": no_budget,
    "CF-IMG-001": moving_tags,
    "CF-IMG-002": not_scanned,
    "CF-DEP-001": unapproved,
}


def no_trail(apps: Mapping[str, App]) -> Iterator[Spot]:
    if not any(app.cloud.guards.cloudtrail for app in apps.values()):
        yield Spot(("cloud", "guards", "cloudtrail"), "no environment records the calls of the account")


def no_guard(apps: Mapping[str, App]) -> Iterator[Spot]:
    if not any(app.cloud.guards.guardduty for app in apps.values()):
        yield Spot(("cloud", "guards", "guardduty"), "no environment looks for intruders")


OF_ACCOUNT = {"CF-ACC-001": no_trail, "CF-ACC-002": no_guard}  # asked of all environments on AWS together
