"""`crossfade cost`: what a month costs, before anything is created."""

from importlib import import_module
from pathlib import Path
from typing import Any

import click

from crossfade.cli.call import Call, called

_FILE = click.Path(path_type=Path)
# Verb below `cost` -> its module in this package.
_BELOW = {"check": "check"}


class Costs(click.Group):
    """`crossfade cost` itself makes bills; what is below it is found when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  the signature is click's
        return list(_BELOW)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002
        module = _BELOW.get(name)
        command: click.Command | None = (
            getattr(import_module(f"crossfade.cli.aws.cost.{module}"), name) if module else None
        )
        return command


@click.group(
    cls=Costs,
    invoke_without_command=True,
    subcommand_metavar="[check BILL.yaml]",
    epilog="Examples: crossfade cost | crossfade cost -e prod --json | crossfade cost --prices prices.yaml | "
    "terraform show -json tfplan > plan.json; crossfade cost --plan plan.json | crossfade cost -e prod --live | "
    "crossfade cost -e prod --compare dev | crossfade cost --diff main --markdown | crossfade cost -e prod --save | "
    "crossfade cost -e prod --chart cost.svg",
)
@called(file=True, state=False)
@click.option("--plan", type=_FILE, help="A Terraform plan as JSON instead of the file.")
@click.option("--region", help="With --plan: the region of what the plan does not place.")
@click.option("--table", type=_FILE, help="A table that a team wrote, in YAML, instead of the file.")
@click.option("--prices", type=_FILE, help="A price book of your own, in YAML.")
@click.option(
    "--live", is_flag=True, help="Ask AWS for prices that are unknown, and keep them in --prices (prices.yaml)."
)
@click.option("--save", is_flag=True, help="Propose savings, with their arithmetic and what they take.")
@click.option("--assume", type=_FILE, help="With --save: your own rates and proposals, in YAML.")
@click.option("--compare", metavar="ENV|FILE", help="Against another environment, a saved bill, a table or a file.")
@click.option("--diff", metavar="REV", help="Against the file at another revision of git.")
@click.option("--markdown", is_flag=True, help="For a pull request.")
@click.option("--chart", type=_FILE, metavar="FILE.svg", help="Draw where the money goes.")
@click.pass_context
def cost(ctx: click.Context, /, call: Call, **wanted: Any) -> None:
    """Say what a month costs, line by line, from the file alone and offline.

    Without -e, for every environment on AWS. Lines marked with ~ depend on use: `cloud.usage` in the file says how
    much. What has no known price is shown as unknown and is not in the total.
    """
    if ctx.invoked_subcommand is not None:
        return
    from crossfade.cli.aws.cost.ways import CostOptions, answer

    answer(call, CostOptions(**wanted))
