"""`crossfade down -e dev`: what runs in an environment on AWS ends, and its places stay Terraform's."""

from collections.abc import Mapping
from typing import Any

from crossfade.aws.terraform.guard import Question, SaidBefore, is_guarded
from crossfade.cli.call import Call, who
from crossfade.cli.client import ControllerClient
from crossfade.cli.confirm import ask
from crossfade.cli.meanwhile import meanwhile
from crossfade.cli.ship.screens import screen
from crossfade.core.errors import PlatformError, WrongInputError

LOOK = 2.0  # seconds between two looks whether it can go on at all


def down(call: Call, app: str | None, service: str | None, *, force: bool, said: SaidBefore) -> None:
    """Send the tasks home once nobody is sent to them any more, and take the pages of the site away."""
    client = call.client()
    target = _target(call, client, app, service)
    what = "/".join(target.values())
    ask([_question(call, what)], said)
    shown = screen(as_json=call.json)
    try:
        with shown.doing(f"{what}: no new requests, then what runs finishes what it holds"):
            stopped = _until_gone(call, client, {**target, "by": who(), "force": force})
    finally:
        shown.close()
    environment = call.environment
    call.answer(
        {"stopped": stopped, "stays": "what Terraform made"},
        f"stopped: {', '.join(stopped)}\n"
        f"  What Terraform made stays and is paid for: `crossfade infra destroy -e {environment}` takes it away.\n"
        f"  `crossfade deploy -e {environment}` brings a release again.",
    )


def _target(call: Call, client: ControllerClient, app: str | None, service: str | None) -> dict[str, str]:
    """The app is the file's; who names another one means another environment."""
    named, _, of = (app or "").partition("/")
    target = call.target(client, service or of or None)
    own = target["app"].partition("@")[0]
    if named and named not in {own, target["app"]}:
        raise WrongInputError(
            f"{call.environment} is an environment of {own}, not of {named}", f"crossfade down -e {call.environment}"
        )
    return target


def _question(call: Call, what: str) -> Question:
    from crossfade.file.load import load

    path = call.required()
    app = load(path.absolute(), call.environment, called=str(path))
    text = f"Nobody will be answered by {what} any more."
    if is_guarded(app):
        phrase = app.environment
        return Question(f"{text} Type {phrase} to go on", f"--confirm {phrase}", phrase=phrase)
    return Question(f"{text} Go on?", "--yes")


def _until_gone(call: Call, client: ControllerClient, order: Mapping[str, Any]) -> list[str]:
    """PlatformError where it cannot go on until somebody does something: what is stopped stays so."""

    def require_progress() -> None:
        if stuck := client.get("/v1/stuck"):
            again = f"`crossfade down -e {call.environment}` goes on with it"
            raise PlatformError(stuck["cause"], f"{stuck['way_out']}; {again}" if stuck["way_out"] else again)

    stopped: list[str] = meanwhile(lambda: client.post("/v1/down", **order), require_progress, LOOK)["stopped"]
    return stopped
