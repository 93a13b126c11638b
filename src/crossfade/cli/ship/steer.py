"""Orders to a service: to the rollout under way, to its size, to its releases."""

from collections.abc import Mapping
from typing import Any

import click

from crossfade.cli import completion
from crossfade.cli.call import Call, called, who
from crossfade.cli.client import ControllerClient
from crossfade.cli.ship.carrying import on_screen, seen_through, settle
from crossfade.cli.ship.ending import answered
from crossfade.core.errors import WrongInputError
from crossfade.telling.text import plural

Json = Mapping[str, Any]


def _under_way(call: Call, client: ControllerClient, service: str | None) -> dict[str, str]:
    """The service that is meant: the named one, or of several the only one with a rollout under way."""
    target = call.target(client, service)
    if "service" in target:
        return target
    moving = [s["name"] for s in client.get("/v1/status", app=target["app"])["services"] if s["rollout"]]
    return {**target, "service": moving[0]} if len(moving) == 1 else target


def _order(verb: str, does: str, help_text: str, example: str) -> Any:
    """A verb that tells the rollout under way something; `does` is how it is answered."""

    @click.command(verb, help=help_text, epilog=f"Examples: {example}")
    @click.argument("service", required=False, shell_complete=completion.services)
    @called(app=True)
    def command(call: Call, *, service: str | None) -> int:
        client = call.acting()
        target = _under_way(call, client, service)
        answer = client.post(f"/v1/order/{verb}", **target, by=who())
        call.answer(answer, f"{answer['app']}/{answer['name']} {does}{_by_whom(answer)}")
        return 0 if verb == "pause" else _see_through(call, answer)

    return command


promote = _order(
    "promote",
    "goes on: its step is approved",
    "Approve the step of SERVICE that waits for it, or cut its bake short.",
    "crossfade promote | crossfade promote web",
)
pause = _order(
    "pause",
    "is paused: nothing moves until `crossfade resume`",
    "Hold the rollout of SERVICE where it is. Health is still watched, and a bad release still taken back.",
    "crossfade pause | crossfade pause web",
)
resume = _order(
    "resume",
    "goes on",
    "Let a paused rollout of SERVICE go on; its step has the whole timeout again.",
    "crossfade resume | crossfade resume web",
)


@click.command(epilog='Examples: crossfade abort | crossfade abort web --reason "wrong branch"')
@click.argument("service", required=False, shell_complete=completion.services)
@called(app=True)
@click.option("--reason", default="", help="On record, and shown to whoever waits for the deploy.")
def abort(call: Call, *, service: str | None, reason: str) -> int:
    """Take the rollout of SERVICE that is under way back, or stop its build. Its release is not marked bad.

    Of services that are deployed together all go back.
    """
    client = call.acting()
    answer = client.post("/v1/order/abort", **_aborted(call, client, service), by=who(), reason=reason)
    meant = answer["aborted"]
    does = "is taken back" if len(meant) == 1 else "are taken back"
    shows = "" if call.environment else "; `crossfade watch` shows it"
    call.answer(answer, f"{', '.join(meant)} {does}{_by_whom(answer)}{shows}{_lacks(answer)}")
    return _see_through(call, answer, wanted="aborted")


def _lacks(answer: Json) -> str:
    """What is not there, will not come back by itself, and is needed until all is back."""
    stuck = answer.get("stuck")
    return f"\n{'; '.join(filter(None, (stuck['cause'], stuck['way_out'])))}" if stuck else ""


def _by_whom(answer: Json) -> str:
    """On AWS an order may be carried out by another process, on another machine."""
    return f" by {answer['carried_by']}, who carries it" if "carried_by" in answer else ""


def _see_through(call: Call, answer: Json, wanted: str = "succeeded") -> int:
    """Where no daemon runs, and no other process has it: carry what was told to go on to its end."""
    if "carrying" not in answer:
        return 0
    with on_screen(call) as shown:
        ended = seen_through(call, answer["carrying"], shown)
        settle(call, shown)
    return max((answered(call, one, wanted=wanted) for one in ended), default=0)


def _aborted(call: Call, client: ControllerClient, service: str | None) -> dict[str, str]:
    """Without a name: the app's group or build under way, else its only rollout."""
    target = call.target(client, service)
    if "service" in target:
        return target
    found = client.get("/v1/status", app=target["app"])
    return target if found["groups"] or found["building"] else _under_way(call, client, service)


@click.command(epilog='Examples: crossfade lock --reason "sale until Monday" | crossfade lock --release')
@click.argument("service", required=False, shell_complete=completion.services)
@called(app=True)
@click.option("--reason", default="", help="Shown to everybody who is refused.")
@click.option("--release", is_flag=True, help="Unlock.")
@click.option("--force", is_flag=True, help="Lock it even when somebody else already has.")
def lock(call: Call, *, service: str | None, reason: str, release: bool, force: bool) -> None:
    """Forbid rollouts of SERVICE, or of all services of the app, until `crossfade lock --release`."""
    client = call.acting()
    target = call.target(client, service)
    services = client.get("/v1/status", app=target["app"])["services"] if "service" not in target else [target]
    names = [one.get("service") or one["name"] for one in services] or [None]  # none: let the API say what there is
    verb = "unlock" if release else "lock"
    answers = [
        client.post(f"/v1/order/{verb}", app=target["app"], service=name, by=who(), reason=reason, force=force)
        for name in names
    ]
    keys = ", ".join(f"{answer['app']}/{answer['name']}" for answer in answers)
    call.answer({"services": answers}, f"{keys} {'may be deployed again' if release else 'is locked'}")


class _Sizes(click.ParamType[tuple[str | None, int]]):
    """`web=4`, or `4` for an app with one service."""

    name = "service=count"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str | None, int]:
        service, _, count = str(value).rpartition("=")
        if not count.isdecimal():
            self.fail(f"{value!r} is not a size: write web=4", param, ctx)
        return service or None, int(count)


@click.command(epilog="Examples: crossfade scale web=4 | crossfade scale 4 | crossfade scale web=4 worker=2")
@click.argument("sizes", nargs=-1, required=True, type=_Sizes())
@called(app=True)
@click.option("--detach", is_flag=True, help="Do not wait until all of them serve.")
def scale(call: Call, *, sizes: tuple[tuple[str | None, int], ...], detach: bool) -> None:
    """Change how many instances services have, until they are scaled again.

    SIZES are written web=4. Instances that go are drained first.
    """
    client = call.acting()
    answers = [
        client.post("/v1/scale", **call.target(client, service), replicas=count, wait=not detach, by=who())
        for service, count in sizes
    ]
    has = "is to have" if detach else "has"
    lines = [f"{answer['service']} {has} {plural(answer['replicas'], 'instance')}" for answer in answers]
    call.answer({"services": answers}, "\n".join(lines))


@click.command(epilog="Examples: crossfade restart | crossfade restart web | crossfade restart shop/web --detach")
@click.argument("service", required=False, shell_complete=completion.services)
@called(app=True)
@click.option("--detach", is_flag=True, help="Do not wait until all of them are new.")
@click.option("--force", is_flag=True, help="Even when locked.")
def restart(call: Call, *, service: str | None, detach: bool, force: bool) -> int:
    """Replace the instances of SERVICE by new ones of the same release, without losing a request.

    New ones serve before old ones drain. When new ones exit three times, the old ones stay: exit code 1.
    """
    client = call.acting()
    answer = client.post("/v1/restart", **call.target(client, service), wait=not detach, force=force, by=who())
    does = "is restarted" if not detach else "is being restarted"
    said = f"{answer['why']}; the old ones go on serving" if answer["why"] else f"{answer['service']} {does}"
    call.answer(answer, said)
    return 1 if answer["why"] else 0


@click.command(epilog="Examples: crossfade tag stable | crossfade tag before-sale 7 --service web")
@click.argument("name")
@click.argument("release", required=False, default="latest")
@click.option("--service", help="Of which service, when the app has several.")
@called(app=True)
def tag(call: Call, *, name: str, release: str, service: str | None) -> None:
    """Give RELEASE the tag NAME; without RELEASE, the newest good one.

    A tagged release is kept, and `crossfade rollback --to NAME` goes there.
    """
    if not name.strip():
        raise WrongInputError("a tag needs a name", "such as stable")
    client = call.acting()
    answer = client.post("/v1/tag", **call.target(client, service), tag=name, release=release, by=who())
    before = answer.get("before")
    moved = f"; until now release {before} was" if before not in {None, answer["release"]} else ""
    call.answer(answer, f"release {answer['release']} of {answer['service']} is tagged {answer['tag']}{moved}")
