"""backup and restore: a store's data, written down and given back by its own commands."""

import os
from typing import TYPE_CHECKING, Any

import click

from crossfade.aws.terraform.guard import Question, SaidBefore
from crossfade.cli.call import Call, called, who
from crossfade.cli.client import ControllerClient
from crossfade.cli.confirm import ask
from crossfade.core.errors import WrongInputError

if TYPE_CHECKING:
    from crossfade.file.model import App


@click.command(epilog="Examples: crossfade backup | crossfade backup db --json")
@click.argument("store", required=False)
@called(file=True)
def backup(call: Call, *, store: str | None) -> None:
    """Back up the data of STORE with the file's own command; its newest backups are kept."""
    client, found = _store(call, store)
    made = client.post("/v1/backup", store=found, by=who())["file"]
    call.answer({"file": made}, f"{_key(found)} is backed up in {made}")


@click.command(
    epilog="Examples: crossfade restore db | crossfade restore db --from shop.backup --yes | "
    "crossfade restore database -e prod --from shop-prod-before-web-7-20260301-140507"
)
@click.argument("store", required=False)
@called(file=True)
@click.option("--from", "backup", metavar="FILE", default="", help="A backup, or a snapshot. Default: the newest.")
@click.option("--as", "name", metavar="NAME", default="", help="On AWS: what the restored database is called.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(call: Call, *, store: str | None, backup: str, name: str, yes: bool) -> None:
    """Give STORE the data of a backup, with the file's own command. What it holds now is overwritten.

    On AWS a snapshot or a dump of the database becomes another one beside it, and you are told how to go on.
    """
    if elsewhere := _on_aws(call):
        from crossfade.cli.aws.restore import restore as beside

        beside(call, elsewhere, store, snapshot=backup, name=name, yes=yes)
        return
    if name:
        raise WrongInputError("--as is for an environment on AWS", "name one with -e")
    client, found = _store(call, store)
    what = backup or "its newest backup"
    ask([Question(f"This overwrites the data of {_key(found)} with {what}. Go on?", "--yes")], SaidBefore(yes=yes))
    named = os.path.abspath(backup) if backup else ""  # noqa: PTH100
    read = client.post("/v1/restore", store=found, backup=named, by=who())["file"]
    call.answer({"file": read}, f"{_key(found)} has the data of {read}")


def _on_aws(call: Call) -> "App | None":
    if call.environment is None:
        return None
    from crossfade.file.load import load

    path = call.required()
    app = load(path.absolute(), call.environment, called=str(path))
    return app if app.platform == "aws" else None


def _store(call: Call, name: str | None) -> tuple[ControllerClient, dict[str, Any]]:
    """The store that is named, or the file's only one."""
    from crossfade.cli.application import read

    stores = {one["service"]["name"]: one for one in read(call)["stores"]}
    names = ", ".join(stores) or "none"
    if name is None and len(stores) == 1:
        name = next(iter(stores))
    if name not in stores:
        cause = f"the file has no store {name}" if name else "say which store is meant"
        raise WrongInputError(cause, f"its stores: {names}")
    return call.ensured(), stores[name]


def _key(store: dict[str, Any]) -> str:
    return f"{store['service']['app']}/{store['service']['name']}"
