"""What `cloud.targets` promises and the rest of the file cannot keep."""

import math
from collections.abc import Iterator

from crossfade.aws.audit.finding import Keys, Spot
from crossfade.file.model import App
from crossfade.file.parts.service import Service
from crossfade.file.units import write_duration, write_percent

# RDS promises this much of a database in one zone: https://aws.amazon.com/rds/sla/
OF_ONE_ZONE = 99.5
# RDS can be restored to any moment up to the last five minutes, as a new database, which takes a while.
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIT.html
RESTORABLE, RESTORING = 300.0, 1800.0
DAY = 86400.0


def slow_deploys(app: App) -> Iterator[Spot]:
    promised = app.cloud.targets.deploy
    for name, service in app.services.items() if promised is not None else ():
        least = _least_deploy(service)
        if promised is not None and least > promised:
            what = f"bakes and warm-ups of service {name} alone take {write_duration(least)}"
            yield Spot(_target("deploy"), f"a deploy within {write_duration(promised)}, but {what}")


def _least_deploy(service: Service) -> float:
    """What a deploy waits even when everything is healthy at once."""
    deploy = service.deploy
    if deploy.strategy == "rolling":
        may_stop = service.replicas - math.ceil(service.replicas * deploy.min_healthy / 100)
        may_start = math.ceil(service.replicas * deploy.max_surge / 100)
        batches = math.ceil(service.replicas / max(1, may_stop, may_start))
        return batches * deploy.warmup + len(deploy.capacity_steps) * deploy.bake
    return len(deploy.traffic_steps) * deploy.bake


def lost_data(app: App) -> Iterator[Spot]:
    promised, database = app.cloud.targets.data_loss, app.cloud.database
    if promised is None or database is None:
        return
    loses = DAY if database.host else RESTORABLE
    if not database.backups:
        yield Spot(_target("data_loss"), "a limit to lost data, but no backups: all of it may be lost")
    elif not database.multi_az and promised < loses:
        what = f"a backup restores all but the last {write_duration(loses)}, and there is no standby"
        yield Spot(_target("data_loss"), f"at most {write_duration(promised)} of data lost, but {what}")


def slow_recovery(app: App) -> Iterator[Spot]:
    promised, database = app.cloud.targets.recovery, app.cloud.database
    if promised is not None and promised < RESTORING and database is not None and not database.multi_az:
        what = "without a standby the database has to be restored from a backup"
        yield Spot(_target("recovery"), f"back within {write_duration(promised)}, but {what}")


def too_much_availability(app: App) -> Iterator[Spot]:
    promised, database = app.cloud.targets.availability, app.cloud.database
    if promised is not None and promised > OF_ONE_ZONE and database is not None and not database.multi_az:
        what = f"AWS itself promises {write_percent(OF_ONE_ZONE)} of a database in one zone"
        yield Spot(_target("availability"), f"{write_percent(promised)} availability, but {what}")


def latency_unseen(app: App) -> Iterator[Spot]:
    promised = app.cloud.targets.p95
    limits = [alarm.limit for alarm in app.cloud.alarms if alarm.on == "latency"]
    if promised is not None and not any(limit <= promised for limit in limits):
        what = f"the alarm waits for {write_duration(min(limits))}" if limits else "there is no alarm on `latency`"
        yield Spot(_target("p95"), f"95 % of answers within {write_duration(promised)}, but {what}")


def _target(key: str) -> Keys:
    return ("cloud", "targets", key)


CHECKS = {
    "CF-TGT-001": slow_deploys,
    "CF-TGT-002": lost_data,
    "CF-TGT-003": slow_recovery,
    "CF-TGT-004": too_much_availability,
    "CF-TGT-005": latency_unseen,
}
