"""`crossfade`: the table of verbs, and the rim where every error becomes one message and an exit code."""

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

import click

from crossfade.cli.streams import NobodyReadsError, Streams
from crossfade.core.errors import CrossfadeError
from crossfade.shell import mask
from crossfade.shortage import shortage
from crossfade.telling.text import plain

# Verb -> (module of this package, what it does). Written here and not read from the modules, because importing all of
# them would make `crossfade --help` slow.
SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "The file": {
        "init": ("file.init", "Write a crossfade.yaml for this folder or from a Compose file."),
        "check": ("file.check", "Say whether the file is right, without running anything."),
        "schema": ("file.schema", "Print the file's JSON Schema for editors."),
        "plan": ("file.plan", "Show what a deploy would do, step by step."),
    },
    "Ship": {
        "deploy": ("ship.deploy", "Bring a new release, and take it back when it is bad."),
        "rollback": ("ship.deploy", "Go back to an earlier release."),
        "promote": ("ship.steer", "Approve the step that waits, or cut its bake short."),
        "pause": ("ship.steer", "Hold a rollout where it is."),
        "resume": ("ship.steer", "Let a paused rollout go on."),
        "abort": ("ship.steer", "Take the rollout under way back."),
        "scale": ("ship.steer", "Change how many instances a service has."),
        "restart": ("ship.steer", "Replace a service's instances, without losing a request."),
        "run": ("ship.visit", "Run a command in the release that runs, on this terminal."),
        "exec": ("ship.visit", "Run a command beside an instance, on this terminal."),
        "loadtest": ("ship.loadtest", "Send visitors, and hold what they met against what was promised."),
        "rehearse": ("ship.rehearse", "Play a deploy to production on this machine, with a sick release as well."),
        "tag": ("ship.steer", "Name a release, so that it is kept and found again."),
        "lock": ("ship.steer", "Forbid rollouts of a service, or allow them again."),
    },
    "Look": {
        "status": ("look.status", "What runs here, and the rollout under way."),
        "watch": ("look.watch", "The same, live."),
        "dashboard": ("look.dashboard", "The same as a page in the browser, with its orders."),
        "releases": ("look.record", "The releases of a service and what became of them."),
        "events": ("look.record", "Everything that happened, step by step."),
        "logs": ("look.logs", "What instances, builds, hooks and jobs wrote."),
        "report": ("look.report", "The record of a rollout as one file, for others."),
    },
    "Stores": {
        "backup": ("stores", "Back up a store's data."),
        "restore": ("stores", "Give a store the data of a backup."),
    },
    "On AWS": {
        "secrets": ("aws.secrets", "Give secrets their values, on hosts too, and see which are empty."),
        "infra": ("aws.infra", "Write, plan and apply the infrastructure, as Terraform that you own."),
        "pipeline": ("aws.pipeline", "Write how a push becomes a release, for GitHub Actions or GitLab CI."),
        "cost": ("aws.cost.cost", "Say what a month costs, before anything is created."),
        "audit": ("aws.audit", "Find what is dangerous in the file or in a Terraform plan."),
        "diagram": ("aws.diagram", "Draw an environment: zones, subnets, services, who may reach whom."),
    },
    "On hosts": {
        "hosts": ("hosts.hosts", "Make servers with SSH ready for `platform: hosts`."),
    },
    "The machine": {
        "up": ("machine.up", "Start the controller, or replace it with this version."),
        "down": ("machine.down", "Stop an app, the controller, or everything."),
        "demo": ("machine.demo", "Watch real releases go out under traffic, in under a minute."),
    },
}
_MODULES = {verb: module for verbs in SECTIONS.values() for verb, (module, _) in verbs.items()}

# What these verbs do goes on to its end, and their exit codes say how it ended, whoever reads what they say. The others
# end when nobody reads on, as behind `| head -1`.
_LASTING = frozenset(
    {
        *("deploy", "rollback", "promote", "pause", "resume", "abort", "scale", "restart", "tag", "lock"),
        *("backup", "restore", "secrets", "infra", "hosts", "up", "down"),
    }
)

# What people type who come from elsewhere, and what they mean here.
MEANT = {
    **dict.fromkeys(
        ("ps", "ls", "list", "info", "details", "describe", "services", "show", "get", "ping", "port"), "status"
    ),
    **dict.fromkeys(("stop", "destroy", "rm", "remove", "delete", "kill", "uninstall", "undeploy"), "down"),
    **dict.fromkeys(("start", "setup", "install", "daemon", "boot"), "up"),
    **dict.fromkeys(("ship", "push", "release", "redeploy", "publish"), "deploy"),
    **dict.fromkeys(("undo", "revert", "back"), "rollback"),
    **dict.fromkeys(("history", "versions", "ledger"), "releases"),
    **dict.fromkeys(("audit-log", "journal"), "events"),
    **dict.fromkeys(("tail", "log"), "logs"),
    **dict.fromkeys(("ssh", "attach", "enter"), "exec"),
    **dict.fromkeys(("console", "shell", "bash"), "run"),
    **dict.fromkeys(("approve", "continue", "switch", "cutover"), "promote"),
    **dict.fromkeys(("cancel", "interrupt"), "abort"),
    **dict.fromkeys(("unlock", "freeze"), "lock"),
    **dict.fromkeys(("validate", "lint", "config", "doctor"), "check"),
    **dict.fromkeys(("diff", "preview", "dry-run"), "plan"),
    **dict.fromkeys(("new", "generate", "import", "compose", "convert"), "init"),
    **dict.fromkeys(("build", "pull", "up-d", "rollout", "apply", "create", "launch", "update", "upgrade"), "deploy"),
    **dict.fromkeys(("images", "tags"), "releases"),
    **dict.fromkeys(("inspect", "health", "stats"), "status"),
    **dict.fromkeys(("secret", "env", "set", "vars", "config:set", "env:set"), "secrets"),
    **dict.fromkeys(("terraform", "provision"), "infra"),
    **dict.fromkeys(("bill", "price", "prices", "estimate"), "cost"),
    **dict.fromkeys(("draw", "graph"), "diagram"),
    **dict.fromkeys(("top", "monitor"), "watch"),
    **dict.fromkeys(("ui", "page", "web", "open", "browser"), "dashboard"),
}

_FLAGS = {"version": "crossfade --version", "help": "crossfade --help"}
_NAMES = {"exec": "enter"}  # what a verb is called where Python's own function has its name

EPILOG = """\
Exit codes: 0 done, 1 the deploy failed and was rolled back, 2 wrong input, 3 refused, or `audit` or `cost check` found
something, 4 platform trouble.

Completion of verbs, options and names: eval "$(_CROSSFADE_COMPLETE=bash_source crossfade)", or zsh_source, fish_source.
"""


class Verbs(click.Group):
    """Finds a verb's module when the verb is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  the signature is click's
        return list(_MODULES)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002
        module = _MODULES.get(name)
        if module is None:
            return None
        command: click.Command = getattr(import_module(f"crossfade.cli.{module}"), _NAMES.get(name, name))
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            meant = _meant(args[0])
            if meant is None:
                raise
            raise click.UsageError(f"No such command '{args[0]}'. Did you mean `{meant}`?", ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        for section, verbs in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl([(verb, what) for verb, (_, what) in verbs.items()], col_max=12)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        formatter.write("\n" + EPILOG)


def _meant(word: str) -> str | None:
    """The verb that somebody meant by another word, or by one with a slip in it: never what does the opposite."""
    from difflib import get_close_matches

    whole, word = word.lower(), word.rpartition(":")[2].lower()  # kamal's `app:deploy`
    if whole in _FLAGS:
        return _FLAGS[whole]
    if whole in MEANT or word in MEANT or word in _MODULES:
        return MEANT.get(whole) or MEANT.get(word, word)
    close = get_close_matches(word, [*_MODULES, *MEANT], n=1, cutoff=0.7)
    return MEANT.get(close[0], close[0]) if close else None


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001  click's callback
    if wanted:
        from crossfade import __version__

        click.echo(f"crossfade {__version__}")
        ctx.exit()


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
def crossfade() -> None:
    """Ship every release of a web app without losing a request, and take a bad one back by itself.

    Begin with `crossfade init`, then `crossfade deploy`. See it all at work: `crossfade demo`.
    """


def main() -> int:
    """Run one verb; what a user can mend is one message on stderr (and with --json the last line of stdout)."""
    try:
        code = crossfade.main(standalone_mode=False)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        return _failed(error.format_message(), "see --help", 2, error.show)
    except CrossfadeError as error:
        return _failed(error.cause, error.way_out, error.exit_code)
    except FileNotFoundError:
        return _failed_nowhere()
    except (click.exceptions.Abort, KeyboardInterrupt):
        return 130
    except NobodyReadsError:
        code = 0
    except (OSError, RuntimeError, MemoryError) as error:
        if (lacking := shortage(error)) is None:
            raise
        code = _failed(lacking.cause, lacking.way_out, lacking.exit_code)
    return code if isinstance(code, int) else 0


def _failed_nowhere() -> int:
    """Said in an `except`: the folder that is not there is the one that we are in, else it is a fault of ours."""
    try:
        os.getcwd()  # noqa: PTH109  pathlib is a dozen modules, and --help does without
    except FileNotFoundError:
        return _failed("the folder that this shell is in is gone", "go to one that exists: cd", 2)
    raise  # noqa: PLE0704


def _failed(cause: str, way_out: str, exit_code: int, show: Callable[[], None] | None = None) -> int:
    """Said as far as anybody can read it; the exit code tells it all the same."""
    with suppress(NobodyReadsError, CrossfadeError):
        if show:
            show()
        else:
            click.echo(plain(f"crossfade: {cause}" + (f"\n  {way_out}" if way_out else "")), err=True)
    if "--json" in sys.argv:
        with suppress(NobodyReadsError, CrossfadeError):
            click.echo(json.dumps({"error": {"cause": cause, "way_out": way_out, "exit_code": exit_code}}))
    return exit_code


def run() -> NoReturn:
    """The process: run one verb, flush, and be gone. Taking Python apart in order would take longer than `status`."""
    streams = Streams(lasting=bool(_LASTING.intersection(sys.argv[1:2])))
    mask()
    code = main()
    with suppress(OSError, ValueError, CrossfadeError, NobodyReadsError):
        sys.stdout.flush()
        if lost := streams.lost():
            click.echo(f"crossfade: not all that was to be said could be written: {lost}", err=True)
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    run()
