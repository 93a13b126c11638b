"""run and exec: a person's command where the instances are, on the terminal of who asks."""

import os
import shlex
from typing import TYPE_CHECKING, Any

import click

from crossfade.cli import completion
from crossfade.cli.call import Call, called, who
from crossfade.cli.ship.screens import screen
from crossfade.core.errors import RefusedError

if TYPE_CHECKING:
    from crossfade.cli.client import ControllerClient

WORDS = "crossfade.words"


class Apart(click.Command):
    """A verb whose own words end at `--`: what comes after them is a command, and none of it is ours to read."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ours, dashes, words = _split(args)
        wants_help = any(word in ctx.help_option_names for word in ours)
        if not words and not wants_help:
            lacks = "no command after --" if dashes else "no -- before the command"
            raise click.UsageError(f"{lacks}: crossfade {self.name} {self.metavar} -- ls -l", ctx)
        ctx.meta[WORDS] = words
        return super().parse_args(ctx, ours)

    @property
    def metavar(self) -> str:
        return "INSTANCE" if self.name == "exec" else "web"

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "-- COMMAND..."]


def _split(args: list[str]) -> tuple[list[str], bool, list[str]]:
    if "--" not in args:
        return args, False, []
    at = args.index("--")
    return args[:at], True, args[at + 1 :]


@click.command(
    cls=Apart,
    epilog="Examples: crossfade run -- python manage.py shell | crossfade run web -- sh -c 'echo $PATH'",
)
@click.argument("service", required=False, shell_complete=completion.services)
@called(app=True)
@click.pass_context
def run(ctx: click.Context, call: Call, *, service: str | None) -> int:
    """Run COMMAND in the release of SERVICE that runs: its code, its environment and its secrets.

    It has this terminal, where there is one, and its exit code becomes this command's. No shell reads COMMAND unless it
    is one. On AWS it is a task of its own, or on hosts a container of its own on one of them, and has no terminal: its
    last lines are shown when it has ended.
    """
    client = call.acting()
    if call.away() is not None:
        return _as_task(call, client, ctx.meta[WORDS], call.target(client, service))
    return _sit(client, ctx.meta[WORDS], call.target(client, service))


@click.command(
    "exec", cls=Apart, epilog="Examples: crossfade exec shop-web-7-x3f9 -- sh | crossfade exec shop-web-7-x3f9 -- env"
)
@click.argument("instance")
@called(away=True)
@click.pass_context
def enter(ctx: click.Context, call: Call, *, instance: str) -> int:
    """Run COMMAND beside INSTANCE: in its folder or container, with its environment, as its user.

    A store is called by its name: crossfade exec db -- psql -U postgres
    """
    if (elsewhere := call.away()) is not None:
        where, command = elsewhere.where, shlex.quote(shlex.join(ctx.meta[WORDS]))
        apart = f"`crossfade run -e {where.environment} -- ...` runs one in a container of its own; beside it: aws "
        if where.compute == "autoscaling":
            raise RefusedError(
                f"a command on a host of {where.home} takes a session of Session Manager, and crossfade opens none",
                f"{apart}ssm start-session --target {instance}",
            )
        raise RefusedError(
            f"a command beside a task of {where.home} takes a session of Session Manager, and crossfade opens none",
            f"`crossfade run -e {where.environment} -- ...` runs one as a task of its own; beside it: aws ecs "
            f"execute-command --interactive --cluster {where.app}-{where.environment} --task {instance} "
            f"--command {command}",
        )
    return _sit(call.acting(), ctx.meta[WORDS], {"instance": instance, "app": call.home() or ""})


def _as_task(call: Call, client: "ControllerClient", words: list[str], target: dict[str, str]) -> int:
    shown = screen(as_json=call.json)
    try:
        with shown.doing("it runs in a container of its own"):
            ended = client.post("/v1/errand", **target, words=words)
    except KeyboardInterrupt:
        click.echo("\nit runs on, and nobody waits for it", err=True)
        raise
    finally:
        shown.close()
    call.answer(ended, ended["output"])
    return 1 if ended["code"] is None else int(ended["code"])  # None: its host went away


def _sit(client: Any, words: list[str], where: dict[str, str]) -> int:
    from crossfade.platforms.local.terminal import take_place

    interactive = os.isatty(0) and os.isatty(1)
    seat = client.post("/v1/seat", **where, words=words, interactive=interactive, by=who())
    return take_place(seat, words)
