"""`crossfade up`: the controller of this machine, started, replaced, or made to start with the machine."""

import os
from contextlib import suppress

import click

from crossfade.adapters import BALANCERS, require_known
from crossfade.cli.call import Call, called
from crossfade.cli.client import NotRunningError
from crossfade.cli.machine import controller
from crossfade.core.errors import WrongInputError


class _Balancer(click.Choice[str]):
    """One of the table's names; for any other the word that was probably meant."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        return require_known(BALANCERS, value, "--balancer", "nothing was changed")


def _meant(_: click.Context, __: click.Parameter, given: bool) -> None:  # noqa: FBT001  click's callback
    """Who types `up -d` means what `docker compose` does by it."""
    if given:
        raise WrongInputError(
            "`crossfade up` starts the controller of this machine, no app",
            "`crossfade deploy` brings the app of the file",
        )


@click.command(epilog="Examples: crossfade up | crossfade up --restart | crossfade up --install")
@called()
@click.option("--foreground", is_flag=True, help="Be the controller, until Ctrl-C or SIGTERM.")
@click.option("--balancer", type=_Balancer(list(BALANCERS)), help="Default: envoy, or the one used before.")
@click.option("--restart", is_flag=True, help="Replace the controller with this version; everything keeps serving.")
@click.option("--balancer-restart", is_flag=True, help="Replace the balancer's process without losing a request.")
@click.option("--install", is_flag=True, help="Write a systemd unit that starts it with the machine.")
@click.option("-d", "--detach", "--build", "composes", is_flag=True, hidden=True, expose_value=False, callback=_meant)
def up(
    call: Call, *, foreground: bool, balancer: str | None, restart: bool, balancer_restart: bool, install: bool
) -> None:
    """Start the controller of this machine; nothing happens when it runs already.

    What was deployed is found again: instances that still run are adopted, others started anew.
    """
    if install:
        _install(call, balancer)
        return
    if foreground:
        _be_it(call, balancer)
    if restart:
        with suppress(NotRunningError):
            call.client().get("/v1/controller")  # who is another user's is not ours to stop, nor its files to write
            controller.choose(call.state, controller.balancer_of(call.state))  # or the next one could not be started
            controller.stop(call.state)
    client = controller.ensure(call.state, balancer)
    if balancer_restart:
        client.post("/v1/balancer/restart")
    about = client.get("/v1/controller")
    also = "; the balancer's process is a new one" if balancer_restart else ""
    call.answer(
        {"controller": about | {"state": str(call.state.root), "balancer": controller.balancer_of(call.state)}},
        f"controller {about['version']} runs, pid {about['pid']}, state {call.state.root}{also}",
    )


def _install(call: Call, balancer: str | None) -> None:
    """Write the unit, and say what is typed next: starting it is for whoever may."""
    from crossfade.cli.machine.unit import install, unit_of

    unit = unit_of(call.state, balancer or controller.balancer_of(call.state), os.geteuid())
    install(unit)
    runs = ["crossfade down --controller"] if call.state.socket.exists() else []
    commands = [*runs, *unit.commands]
    lines = [f"{unit.path} is written; type:", *(f"  {command}" for command in commands)]
    call.answer({"unit": str(unit.path), "commands": commands}, "\n".join(lines))


def _be_it(call: Call, balancer: str | None) -> None:
    """Become the controller's process: whoever supervises us supervises it."""
    call.state.prepare()
    chosen = balancer or controller.balancer_of(call.state)
    controller.choose(call.state, chosen)
    command = controller.command(call.state, chosen)
    os.execve(command[0], command, controller.environment())  # noqa: S606  our own program, no shell
