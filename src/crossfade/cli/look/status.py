"""`crossfade status`: what runs here, and the rollout under way."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from crossfade.cli import completion
from crossfade.cli.call import Call, called
from crossfade.cli.client import NotRunningError
from crossfade.cli.ship.screens import standing
from crossfade.core.errors import WrongInputError
from crossfade.telling.text import clock, outcome, plural, rates, release, seconds, table

Json = Mapping[str, Any]
NOTHING = "nothing runs here; `crossfade deploy` brings a release"
ALONE = "no controller runs here; what was deployed goes on serving, and `crossfade up` looks after it again"


@click.command(epilog="Examples: crossfade status | crossfade status web | crossfade status --app feedback --json")
@click.argument("service", required=False, shell_complete=completion.parts)
@called(app=True)
def status(call: Call, *, service: str | None) -> None:
    """What runs here, or SERVICE alone: the rollout under way, and how the last one went."""
    app, _, name = (service or "").rpartition("/")
    try:
        found = call.client().get("/v1/status", app=app or call.chosen_app())
    except NotRunningError:
        call.answer({"services": []}, ALONE if call.state.serving else NOTHING)
        return
    if call.app and not call.environment:
        require_known_app(call, call.app, found)
    found = only(found, name) if name else found
    call.answer(found, shown(found))


def only(found: Json, name: str) -> Json:
    """What `status` says of one service or store, and of what is about none. WrongInputError where there is none."""
    mine = {part: [one for one in found.get(part, ()) if one["name"] == name] for part in ("services", "stores")}
    building = [one for one in found.get("building", ()) if one["service"].endswith(f"/{name}")]
    if not any((*mine.values(), building)):
        all_of_them = [one for part in mine for one in found.get(part, ())]
        apps = {one["app"] for one in all_of_them}
        known = sorted(one["name"] if len(apps) == 1 else f"{one['app']}/{one['name']}" for one in all_of_them)
        there = f"known here: {', '.join(known)}" if known else "nothing runs here"
        if name in apps:
            there = f"{name} is an app: `crossfade status --app {name}`"
        raise WrongInputError(f"no service or store is called {name} here", there)
    return {**found, **mine, "building": building}


def require_known_app(call: Call, app: str, found: Json) -> None:
    """WrongInputError for an app that was named and is none of those here."""
    about = call.client().get("/v1/controller")
    known = [*about["services"], *about.get("stores", ()), *about.get("taken_down", ())]
    apps = {key.split("/")[0] for key in known} | {one["service"].split("/")[0] for one in found.get("building", ())}
    if app not in apps:
        there = f"known here: {', '.join(sorted(apps))}" if apps else "nothing was deployed here yet"
        raise WrongInputError(f"no app is called {app} here", there)


def shown(found: Json) -> str:
    """All of `status` as text."""
    parts = [described(service) for service in found["services"]]
    parts += [kept(found["stores"])] if found.get("stores") else []
    parts += [
        f"{build['service']}: {build['by']} has been building a release since {clock(build['since'])}"
        for build in found.get("building", ())
    ]
    parts += [_group(group) for group in found.get("groups", ())]
    if found.get("unknown"):
        rows = [(one["service"] or "unknown", one["what"]) for one in found["unknown"]]
        parts.append(f"runs although no record says so; `crossfade down --all` ends it:\n{table(rows)}")
    parts += [f"trouble: {trouble}" for trouble in found.get("trouble", ())]
    return "\n\n".join(parts) or NOTHING


def kept(stores: Sequence[Json]) -> str:
    """The stores of `status` as text, with their backups."""
    lines = []
    for store in stores:
        key = f"{store['app']}/{store['name']}"
        lines.append(f"{key}: store, {store['image']}, {store['state']}")
        if store["changed"]:
            lines.append("  the file says something else of it: `crossfade plan` shows what, --replace-stores does it")
        lines += [f"  {_backup(store['backup'])}"] if store["backup"] else []
        lines += [f"  trouble: {store['trouble']}"] if store["trouble"] else []
    return "\n".join(lines)


def _backup(backup: Json) -> str:
    """A store's backups in one line: how the newest went, where the newest whole one lies, when the next is due."""
    run, said = backup["run"], "no backup yet"
    if run and run["state"] == "running":
        said = f"a backup has been under way since {clock(run['started_at'])}"
    elif run and run["state"] == "failed":
        said = f"the backup at {clock(run['ended_at'])} failed: {run['detail']}"
        said += f"; the newest is {backup['file']}" if backup["file"] else "; there is none"
    elif run:
        said = f"backup of {clock(run['ended_at'])} in {backup['file']}"
    coming = f", next at {clock(backup['next'])}" if backup["next"] else ""
    return said + coming


def _group(group: Json) -> str:
    each = ", ".join(
        f"{m['service'].partition('/')[2]} to {release(m['to'], m['to_version'])} {m['state']}"
        for m in group["members"]
    )
    back = f": {group['reason']}" if group["reason"] else ""
    return f"release group {group['id']} of {group['app']}, {group['state'].replace('_', ' ')}{back}: {each}"


def described(service: Json) -> str:
    """One service of `status` as text."""
    worker = service.get("kind") == "worker"
    stands_in = service.get("stands_in")
    of = [one for one in service["instances"] if not stands_in or one["release"] == service["release"]]
    serving = sum(one["state"] == "healthy" if worker else one["weight"] > 0 for one in of)
    does = "at work" if worker else "serving"
    runs = f"release {release(service['release'], service['version'])}"
    runs += f", {serving} of {plural(service['replicas'], 'instance')} {does}"
    runs += f"; release {release(stands_in['release'], stands_in['version'])} stands in for it" if stands_in else ""
    if service["release"] is None:
        runs = f"its first release has {plural(serving, 'instance')} {does}" if serving else "no release serves"
    lines = [f"{service['app']}/{service['name']}: {runs}"]
    if service["instances"]:
        head = ("INSTANCE", "RELEASE", "STATE", "ADDRESS", "TRAFFIC", "IN FLIGHT", "")
        lines.append(table([head, *map(_row, service["instances"])]))
    if lately := service.get("lately"):
        lines.append(f"  last {seconds(lately['seconds'])}: {rates(lately)}")
    rollout = service["rollout"]
    if rollout:
        lines.append(
            f"  rollout {rollout['id']} to release {release(rollout['to'], rollout['to_version'])}, "
            f"{rollout['strategy']}, {seconds(rollout['seconds'])} so far: {standing(rollout)}"
        )
        lines += [
            f"  release {one['release']} since step {rollout['step']} began: {rates(one)}" for one in _judged(rollout)
        ]
        if (before := rollout.get("before")) and before["requests"]:
            lines.append(f"  release {before['release']} in the minutes before: {rates(before)}")
        lines += [f"  {line}" for line in _carried(service)]
    elif service.get("last"):
        lines += [f"  {line}" for line in outcome(service["last"])]
    if way := service.get("preview"):
        header = "".join(f" with the header {name}: {value}" for name, value in way["headers"].items())
        lines.append(f"  release {way['release']} in preview: {way['url']}{header}")
    lines += [f"  release {number} is kept warm for {seconds(left)} more" for number, left in service["warm"].items()]
    kept = service.get("pages", {}).items()
    lines += [f"  release {number} is kept for pages that it sent for {seconds(left)} more" for number, left in kept]
    lines += [_job(job, f"{service['app']}/{service['name']}") for job in service.get("jobs", ())]
    if service["locked"]:
        held = service["locked"]
        lines.append(f"  locked by {held['by']} since {clock(held['since'])}: {held['reason'] or 'no reason given'}")
    if trouble := service["trouble"] or (service.get("stuck") or {}).get("cause"):
        lines.append(f"  trouble: {trouble}")
    return "\n".join(lines)


def _judged(rollout: Json) -> list[Json]:
    """What the verdict is made of, once there is something."""
    return [one for one in rollout.get("judged", ()) if one["requests"]]


def _job(job: Json, service: str) -> str:
    """A job in one line: how its newest run went, and when the next is due."""
    run, skipped = job["run"], job["skipped"]
    said = "has not run yet"
    if run and run["state"] == "running":
        said = f"has been running since {clock(run['started_at'])}"
    elif run:
        said = f"{run['state']} at {clock(run['ended_at'])}"
        said += (
            f" ({run['detail']}; `crossfade logs {service} --instance {run['id']}`)" if run["state"] == "failed" else ""
        )
    said += f"; left out at {clock(skipped['due'])}: {skipped['why']}" if skipped else ""
    coming = f", next at {clock(job['next'])}" if job["next"] else ""
    return f"  job {job['name']} ({job['schedule']} {job['timezone']}): {said}{coming}"


def _carried(service: Json) -> list[str]:
    """Where no daemon runs: which process has the rollout under way."""
    if "carrier" not in service:
        return []
    carrier, environment = service["carrier"], service["app"].partition("@")[2]
    if carrier:
        return [f"carried by {carrier['who']} since {clock(carrier['since'])}"]
    ways = f"`crossfade resume -e {environment}` goes on, `crossfade abort -e {environment}` takes it back"
    return [f"nobody carries it: {ways}"]


def _row(instance: Json) -> tuple[str, ...]:
    held = (instance["in_flight"], instance["streams"])  # None: it has no traffic, or nobody can tell
    return (
        instance["id"],
        str(instance["release"]),
        instance["state"],
        _place(instance["address"]),
        "-" if instance["weight"] is None else f"{instance['weight']:g} %",
        "-" if None in held else str(sum(held)),
        instance["detail"][:80],
    )


def _place(address: str | None) -> str:
    """Sockets have long paths, of which the name tells them apart; a worker has no address."""
    if not address:
        return "-"
    return f"socket {address.rpartition('/')[2]}" if address.startswith("unix:") else address
