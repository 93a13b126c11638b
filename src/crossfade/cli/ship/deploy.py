"""deploy and rollback: one release out, or back, with the proof as the answer."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import click

from crossfade.cli import completion
from crossfade.cli.call import STRATEGY, Call, called, who
from crossfade.cli.client import ControllerClient
from crossfade.cli.ship.carrying import carried_on, on_screen, settle
from crossfade.cli.ship.ending import answered
from crossfade.cli.ship.follow import follow, group, require_served, rollout
from crossfade.cli.ship.screens import Screen
from crossfade.core.errors import UnchangedError
from crossfade.telling.text import release

Json = Mapping[str, Any]
INTERRUPTED = 130  # as a shell says it of Ctrl-C


@click.command(
    epilog="Examples: crossfade deploy | crossfade deploy web -e prod --version v2.1 | crossfade deploy --json"
)
@click.argument("service", required=False, shell_complete=completion.services)
@called(file=True)
@click.option("--version", metavar="LABEL", default="", help="The release's version. Default: git's, or the image's.")
@STRATEGY
@click.option("--supersede", is_flag=True, help="Stop the build or take back the rollout that is under way first.")
@click.option("--force", is_flag=True, help="Even when locked, or when exactly this runs already.")
@click.option("--replace-stores", is_flag=True, help="Recreate the stores that changed in the file; their data stays.")
@click.option("--detach", is_flag=True, help="Do not wait for the end.")
def deploy(call: Call, **order: Any) -> int:
    """Bring a new release of all services of the file, or of SERVICE.

    Several services are one release: all of them end at the new one, or all go back.
    The controller is started when it does not run; on AWS, and over hosts, this process carries the rollout to its end.
    A release that turns out bad is taken back: exit code 1.
    Values of secrets that the file names are taken from this shell's environment, from where the file says, or from
    .env beside it.
    """
    try:
        return _deploy(call, **order)
    except UnchangedError as error:  # as where a job of CI runs again: that is no failure
        call.answer({"unchanged": [error.cause]}, f"unchanged: {error.cause} (--force deploys it again)")
        return 0


def _deploy(
    call: Call,
    *,
    service: str | None,
    version: str,
    strategy: str | None,
    supersede: bool,
    force: bool,
    replace_stores: bool,
    detach: bool,
) -> int:
    from crossfade.cli.application import absent, ends, key, preflight, read
    from crossfade.cli.file import contents, readable
    from crossfade.cli.secrets import given
    from crossfade.cli.ship.stores import told_of_stores

    wanted = read(call, service, strategy)
    call = replace(call, environment=None if wanted["platform"] == "local" else wanted["environment"])
    preflight(call, wanted, detach=detach)
    if wanted.get("hosts"):
        from crossfade.cli.hosts.deploy import deploy_over_hosts

        return deploy_over_hosts(call, wanted, version=version, force=force, supersede=supersede)
    client = call.ensured(wanted["balancer"])
    services, secrets = (wanted["services"], {}) if call.environment else given(wanted)
    order = _order(
        call, wanted, secrets, version=version, supersede=supersede, force=force, replace_stores=replace_stores
    )
    found = contents.accounts(services, call.state.root)
    with on_screen(call) as shown:
        for line in [*contents.lines(found), *readable.of_deploy(services, wanted["sources"])]:
            shown.say(line)
        gone_on = [] if supersede else carried_on(call, [key(one) for one in services], shown)
        for one in [] if service else absent(services, wanted.get("stores") or [], client):
            shown.say(ends(one))
        try:
            begun = _begin(client, services, order, shown)
        except UnchangedError as error:
            if not gone_on:
                raise
            settle(call, shown)
            shown.say(error.cause)
            return answered(call, gone_on[-1], contents.data(found))
        for why in [*told_of_stores(begun.get("stores") or {}), *begun["unchanged"]]:
            shown.say(why)
        if not begun.keys() & {"group", "id"}:  # only stores had something to do
            call.answer({"stores": begun["stores"]}, "nothing of the services changed")
            return 0
        if detach:
            return _detached(call, begun)
        shown.several = "group" in begun
        followed = group(begun["group"]) if "group" in begun else rollout(begun)
        result = follow(call, followed, begun["seq"], shown)
        settle(call, shown)
    return answered(call, result, contents.data(found), services=() if call.environment else services)


@click.command(
    epilog="Examples: crossfade rollback | crossfade rollback web --to 7 | crossfade rollback --to sha-3f9a1c2"
)
@click.argument("service", required=False, shell_complete=completion.services)
@called(app=True)
@click.option("--to", metavar="RELEASE", default="previous", help="A number, version, tag, sha-... Default: previous.")
@click.option("--force", is_flag=True, help="Even to a bad release, past a migration, or when locked.")
@click.option("--supersede", is_flag=True, help="Stop the build or take back the rollout that is under way first.")
def rollback(call: Call, *, service: str | None, to: str, force: bool, supersede: bool) -> int:
    """Go back to the last good release of SERVICE, or to the one named with --to.

    While the old instances are still warm this is one change of routing.
    """
    client = call.acting()
    target = call.target(client, service)
    with on_screen(call) as shown:
        begun = client.post("/v1/rollback", **target, to=to, by=who(), force=force, supersede=supersede)
        followed = rollout(begun)
        result = follow(call, followed, begun["seq"], shown)
        settle(call, shown)
    code = answered(call, result)
    if code == 0:
        require_served(call, followed)
    return code


def _order(
    call: Call, wanted: Json, secrets: Json, *, version: str, supersede: bool, force: bool, replace_stores: bool
) -> dict[str, Any]:
    """What the controller is given beside the services: who asks, what for, and what only this shell has."""
    from crossfade.cli.secrets import addresses, lacking
    from crossfade.cli.ship.stores import stores_of

    stores = stores_of(wanted, replace=replace_stores)
    return {
        "by": who(),
        "path": os.environ.get("PATH", os.defpath),
        "version": version,
        "supersede": supersede,
        "force": force,
        "secrets_of": {**secrets, **stores.pop("store_values")},
        "lacking": lacking(wanted),
        "notify": addresses(wanted.get("notify") or [], call.required().parent),
        **stores,
    }


def _begin(client: ControllerClient, services: Sequence[Json], order: Json, shown: Screen) -> Json:
    """Have it built and begun. Ctrl-C stops the build: nothing is on record yet."""
    from crossfade.cli.application import key, shell_of
    from crossfade.cli.ship.stores import awaited

    names = ", ".join(map(key, services))
    what = "building" if any(one["build"] or one["container"]["build"] for one in services) else "deploying"
    first = awaited(client, order["stores"], replace=order["replace_stores"])
    try:
        with shown.doing(f"{first}{what} {names}"):
            begun: Json = client.post(
                "/v1/deploy",
                services=services,
                environment=shell_of(services),
                **order,
            )
    except KeyboardInterrupt:
        reason = f"{order['by']} pressed Ctrl-C"
        stopped = client.post("/v1/builds/stop", services=[key(one) for one in services], by=order["by"], reason=reason)
        if not stopped["stopped"]:
            raise
        click.echo("\nthe build is stopped; nothing was changed", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None
    return begun


def _detached(call: Call, begun: Json) -> int:
    if "group" in begun:
        made = begun["group"]
        each = ", ".join(f"{m['service']} to {release(m['to'], m['to_version'])}" for m in made["members"])
        call.answer({"group": made}, f"release group {made['id']} of {made['app']} is under way: {each}")
        return 0
    to = release(begun["to"], begun["to_version"])
    said = {name: value for name, value in begun.items() if name != "unchanged"}
    call.answer({"rollout": said}, f"rollout {begun['id']} of {begun['service']} to {to} is under way")
    return 0
