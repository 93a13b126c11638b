"""`crossfade down`: an app, a service, the controller or everything stopped, and data deleted where that is asked."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import click

from crossfade.aws.terraform.guard import Question, SaidBefore
from crossfade.cli.call import Call, called, who
from crossfade.cli.client import ControllerClient, NotRunningError
from crossfade.cli.confirm import ask
from crossfade.cli.machine import controller
from crossfade.cli.meanwhile import meanwhile
from crossfade.core.errors import PlatformError, WrongInputError

LOOK = 5.0  # seconds between two looks why something is not over yet


@click.command(
    epilog="Examples: crossfade down feedback | crossfade down feedback/web | crossfade down --all | "
    "crossfade down -e dev"
)
@click.argument("app", metavar="[APP[/SERVICE]]", required=False)
@called(away=True)
@click.option("--service", metavar="NAME", help="Only this service of the app; the same as APP/SERVICE.")
@click.option("--controller", "only_controller", is_flag=True, help="Only the controller: everything keeps serving.")
@click.option("--all", "everything", is_flag=True, help="All apps, the balancer and the controller.")
@click.option("--force", is_flag=True, help="Even locked, or in the middle of a rollout, which is taken back first.")
@click.option("--with-data", is_flag=True, help="Delete the data of the app's stores and volumes, too.")
@click.option("--yes", is_flag=True, help="With -e: do not ask, as where nobody can answer.")
@click.option(
    "--confirm", metavar="NAME", help="Do not ask: the app's name with --with-data, the environment's in production."
)
def down(
    call: Call,
    *,
    app: str | None,
    service: str | None,
    only_controller: bool,
    everything: bool,
    force: bool,
    with_data: bool,
    yes: bool,
    confirm: str | None,
) -> None:
    """Stop the services and stores of APP, or one service: no new requests, drained, stopped.

    Its history stays, and so does the data of its stores and volumes. Of an environment on AWS what Terraform made
    stays as well: `crossfade infra destroy` takes that away.
    """
    if call.away() is not None:
        if only_controller or everything or with_data:
            raise WrongInputError(
                f"--controller, --all and --with-data are for this machine, not for {call.environment}",
                f"`crossfade infra destroy -e {call.environment}` takes all away that Terraform made, with its data",
            )
        from crossfade.cli.aws.down import down as down_there

        down_there(call, app, service, force=force, said=SaidBefore(yes=yes, confirm=confirm))
        return
    if with_data and (not app or "/" in app or service):
        raise WrongInputError("--with-data needs the app whose data is to go", "crossfade down APP --with-data")
    if [bool(app or service), only_controller, everything].count(True) > 1:
        raise WrongInputError("APP, --controller and --all mean different things", "give one of them")
    try:
        client, ran = _reached(call, start=not only_controller)
    except NotRunningError:
        if not (everything or only_controller):
            raise
        call.answer({"stopped": []}, "nothing runs here")
        return
    if only_controller:
        controller.stop(call.state)
        call.answer({"stopped": ["controller"]}, "the controller is stopped; everything it deployed keeps serving")
        return
    if with_data and app:
        text = f"This deletes all data of {app}'s stores and volumes. Type {app} to go on"
        ask([Question(text, f"--confirm {app}", app)], SaidBefore(confirm=confirm))
    which: dict[str, Any] = {"all": True} if everything else _named(call, client, app, service)
    order = {**which, "by": who(), "force": force, "with_data": with_data}
    ended = meanwhile(lambda: client.post("/v1/down", **order), TroubleNotice(client, which.get("app")).tell, LOOK)
    stopped, deleted = ended["stopped"], ended.get("deleted") or []
    if everything:
        controller.stop(call.state, everything=True)
        stopped += ran
    told = [f"{did}: {', '.join(names)}" for did, names in (("stopped", stopped), ("deleted", deleted)) if names]
    call.answer({"stopped": stopped, "deleted": deleted}, "\n".join(told) or "nothing runs here")


class TroubleNotice:
    """The notice why nothing goes on, once for each reason: a service stays whose balancer cannot be asked.

    Of other apps than the one that goes nothing is said; None: all go.
    """

    def __init__(self, client: ControllerClient, app: str | None) -> None:
        self._client = client
        self._asked = {"app": app} if app else {}
        self._told = set[str]()

    def tell(self) -> None:
        with suppress(PlatformError):  # whoever works hears it, too
            self._say(self._client.get("/v1/status", **self._asked))

    def _say(self, status: Mapping[str, Any]) -> None:
        services = [f"{one['app']}/{one['name']}: {one['trouble']}" for one in status["services"] if one["trouble"]]
        for why in [*services, *status["trouble"]]:
            if why not in self._told:
                self._told.add(why)
                click.echo(f"waits, because there is trouble: {why}", err=True)


def _reached(call: Call, *, start: bool) -> tuple[ControllerClient, list[str]]:
    """The controller, and what of balancer and controller ran before we came; also one that has just been begun.

    One that was killed is started again, because only it can stop gently what it left.
    """
    client = call.client()
    try:
        client.get("/v1/controller")
    except NotRunningError:
        if controller.has_come(call.state):
            return client, ["balancer", "controller"]
        if not (start and call.state.used):
            raise
        ran = ["balancer"] if call.state.balancing else []
        return controller.ensure(call.state), ran
    return client, ["balancer", "controller"]


def _named(call: Call, client: ControllerClient, app: str | None, service: str | None) -> dict[str, str]:
    """What `down APP`, `down APP/SERVICE` and `down --service SERVICE` mean."""
    if app and not service:
        app, _, service = app.partition("/")
    if not app:
        return call.target(client, service)
    return {"app": app, "service": service} if service else {"app": app}
