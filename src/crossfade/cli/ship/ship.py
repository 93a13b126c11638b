"""deploy and rollback: one release out, or back, with the proof as the answer."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import click

from crossfade.cli.call import Call, called, who
from crossfade.cli.client import Client
from crossfade.cli.machine import controller
from crossfade.cli.ship.follow import follow
from crossfade.cli.ship.screens import Screen, screen
from crossfade.cli.text import outcome, release
from crossfade.core.errors import CrossfadeError, UnchangedError

Json = Mapping[str, Any]
STRATEGIES = ("rolling", "blue-green", "canary", "linear", "recreate")
ON_ITS_OWN = "the rollout goes on by itself: `crossfade watch` shows it, `crossfade abort` takes it back"


@click.command(
    epilog="Examples: crossfade deploy | crossfade deploy web -e prod --version v2.1 | crossfade deploy --json"
)
@click.argument("service", required=False)
@called(file=True)
@click.option("--version", metavar="LABEL", default="", help="The release's version. Default: git's, or the image's.")
@click.option("--strategy", type=click.Choice(STRATEGIES), help="Instead of the file's.")
@click.option("--supersede", is_flag=True, help="Take back the rollout under way first, if there is one.")
@click.option("--force", is_flag=True, help="Even when locked, or when exactly this runs already.")
@click.option("--detach", is_flag=True, help="Do not wait for the end.")
def deploy(
    call: Call, *, service: str | None, version: str, strategy: str | None, supersede: bool, force: bool, detach: bool
) -> int:
    """Bring a new release of all services of the file, or of SERVICE.

    The controller is started when it does not run. A release that turns out bad is taken back: exit code 1.
    Values of secrets that the file names are taken from this shell's environment.
    """
    from crossfade.cli.application import preflight, read, secrets_of

    wanted = read(call, service, strategy)
    preflight(call, wanted)
    client = controller.ensure(call.state, wanted["balancer"])
    services = wanted["services"]
    order: dict[str, Any] = {"by": who(), "path": os.environ.get("PATH", os.defpath), "version": version}
    order |= {"supersede": supersede, "force": force}
    secrets = secrets_of(services)

    def begin(one: Json) -> Json:
        mine = {name: secrets[name] for name in one["secrets"] if name in secrets}
        begun: Json = client.post("/v1/deploy", service=one, secrets=mine, **order)
        return begun

    shown = screen(as_json=call.json)
    try:
        if detach:
            return _detached(call, [begin(one) for one in services])
        results = _one_after_the_other(call, client, services, begin, shown)
    except KeyboardInterrupt:
        click.echo(f"\n{ON_ITS_OWN}", err=True)
        raise
    finally:
        shown.close()
    return _answer(call, results)


@click.command(
    epilog="Examples: crossfade rollback | crossfade rollback web --to 7 | crossfade rollback --to sha-3f9a1c2"
)
@click.argument("service", required=False)
@called(app=True)
@click.option("--to", metavar="RELEASE", default="previous", help="A number, version, tag, sha-... Default: previous.")
@click.option("--force", is_flag=True, help="Even to a bad release, past a migration, or when locked.")
@click.option("--supersede", is_flag=True, help="Take back the rollout under way first, if there is one.")
def rollback(call: Call, *, service: str | None, to: str, force: bool, supersede: bool) -> int:
    """Go back to the last good release of SERVICE, or to the one named with --to.

    While the old instances are still warm this is one change of routing.
    """
    client = controller.ensure(call.state) if call.state.used else call.client()
    target = call.target(client, service)
    shown = screen(as_json=call.json)
    try:
        begun = client.post("/v1/rollback", **target, to=to, by=who(), force=force, supersede=supersede)
        result = follow(call, begun, shown)
    except KeyboardInterrupt:
        click.echo(f"\n{ON_ITS_OWN}", err=True)
        raise
    finally:
        shown.close()
    return _answer(call, [result])


def _one_after_the_other(
    call: Call, client: Client, services: Sequence[Json], begin: Callable[[Json], Json], shown: Screen
) -> list[Json]:
    """Several services are one release: when one fails, those before it go back."""
    from crossfade.cli.application import key

    results: list[Json] = []
    for one in services:
        try:
            with shown.doing(f"building {key(one)}" if one["build"] else f"deploying {key(one)}"):
                begun = begin(one)
        except UnchangedError as error:
            if len(services) == 1:
                raise
            shown.say(error.cause)
            continue
        except CrossfadeError:
            _take_back(call, client, results, shown)
            raise
        results.append(follow(call, begun, shown))
        if results[-1]["rollout"]["state"] != "succeeded":
            return _take_back(call, client, results[:-1], shown) + results[-1:]
    if not results:
        raise UnchangedError("all services already run exactly this", "change something, or use --force")
    return results


def _take_back(call: Call, client: Client, done: Sequence[Json], shown: Screen) -> list[Json]:
    """Roll back the services of this release that are out already, the last one first."""
    back = list(done)
    for result in reversed(done):
        rollout = result["rollout"]
        if rollout["from"] is None:
            shown.say(f"{rollout['service']} stays at release {rollout['to']}: there is none before it")
            continue
        app, _, service = rollout["service"].partition("/")
        shown.say(f"taking {rollout['service']} back to release {rollout['from']}, too")
        target = {"app": app, "service": service, "to": str(rollout["from"]), "by": who(), "force": True}
        with suppress(UnchangedError):
            back.append(follow(call, client.post("/v1/rollback", **target), shown))
    return back


def _detached(call: Call, begun: Sequence[Json]) -> int:
    for rollout in begun:
        to = release(rollout["to"], rollout["to_version"])
        call.answer({"rollout": rollout}, f"rollout {rollout['id']} of {rollout['service']} to {to} is under way")
    return 0


def _answer(call: Call, results: Sequence[Json]) -> int:
    """The last result decides; with several, all of them are named."""
    last = results[-1]
    if call.json:
        several = {"rollouts": [result["rollout"] for result in results]} if len(results) > 1 else {}
        click.echo(json.dumps({**last, **several}))
    else:
        for result in results:
            click.echo("\n".join(outcome(result)))
    return 0 if last["rollout"]["state"] == "succeeded" else 1
