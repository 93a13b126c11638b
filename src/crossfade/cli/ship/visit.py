"""run and exec: a person's command where the instances are, on the terminal of who asks."""

import os
from typing import Any

import click

from crossfade.cli.call import Call, called, who

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
@click.argument("service", required=False)
@called(app=True)
@click.pass_context
def run(ctx: click.Context, call: Call, *, service: str | None) -> int:
    """Run COMMAND in the release of SERVICE that runs: its code, its environment and its secrets.

    On a terminal it has the terminal. Its exit code is this one's. No shell reads the command unless it is one.
    """
    client = call.client()
    return _sit(client, ctx.meta[WORDS], call.target(client, service))


@click.command(
    "exec", cls=Apart, epilog="Examples: crossfade exec shop-web-7-x3f9 -- sh | crossfade exec shop-web-7-x3f9 -- env"
)
@click.argument("instance")
@called()
@click.pass_context
def enter(ctx: click.Context, call: Call, *, instance: str) -> int:
    """Run COMMAND beside INSTANCE: in its folder or container, with its environment, as its user."""
    return _sit(call.client(), ctx.meta[WORDS], {"instance": instance})


def _sit(client: Any, words: list[str], where: dict[str, str]) -> int:
    from crossfade.platforms.local.terminal import take_place

    interactive = os.isatty(0) and os.isatty(1)
    seat = client.post("/v1/seat", **where, words=words, interactive=interactive, by=who())
    return take_place(seat, words)
