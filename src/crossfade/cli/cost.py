"""`crossfade cost`: what a month costs, before anything is created."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crossfade.cli.call import Call, called

if TYPE_CHECKING:
    from crossfade.cost.bill import Bill

# Verb below `cost` -> its module in this package.
_BELOW = {"check": "cost_check"}


class Costs(click.Group):
    """`crossfade cost` itself makes bills; what is below it is found when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  the signature is click's
        return list(_BELOW)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002
        module = _BELOW.get(name)
        command: click.Command | None = getattr(import_module(f"crossfade.cli.{module}"), name) if module else None
        return command


@click.group(
    cls=Costs,
    invoke_without_command=True,
    subcommand_metavar="[check BILL.yaml]",
    epilog="Examples: crossfade cost | crossfade cost -e prod --json | crossfade cost --prices prices.yaml | "
    "terraform show -json tfplan > plan.json; crossfade cost --plan plan.json",
)
@called(file=True, state=False)
@click.option("--plan", type=click.Path(path_type=Path), help="A Terraform plan as JSON instead of the file.")
@click.option("--prices", type=click.Path(path_type=Path), help="A price book of your own, in YAML.")
@click.pass_context
def cost(ctx: click.Context, call: Call, *, plan: Path | None, prices: Path | None) -> None:
    """Say what a month costs, line by line, from the file alone and offline.

    Without -e, for every environment on AWS. Lines marked with ~ depend on use: `cloud.usage` in the file says how
    much. What has no known price is shown as unknown and is not in the total.
    """
    if ctx.invoked_subcommand is not None:
        return
    from crossfade.cli.cost_text import as_json, text

    made = bills(call, plan, prices)
    call.answer({"bills": [as_json(each) for each in made]}, "\n\n".join(map(text, made)))


def bills(call: Call, plan: Path | None, prices: Path | None) -> "tuple[Bill, ...]":
    """Of the plan, or of the file: one environment or all."""
    from crossfade.cost.ask import of_file, of_plan
    from crossfade.spec.cloud.usage import Usage
    from crossfade.spec.load import load

    if plan is None:
        return of_file(call.required(), call.environment, prices)
    if call.environment is None:
        return (of_plan(plan, Usage(), prices=prices),)
    cloud = load(call.required(), call.environment).cloud
    return (of_plan(plan, cloud.usage, cloud.region, prices),)
