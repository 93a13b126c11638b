"""`crossfade infra`: the AWS infrastructure, as Terraform that the team owns."""

from importlib import import_module

import click

# Verb -> (module of this package, what it does). Written here as in main.py, so that only what is used is imported.
VERBS: dict[str, tuple[str, str]] = {
    "init": ("generate", "Write infrastructure/ from the file."),
    "bootstrap": ("bootstrap", "Make the bucket and the table for Terraform's state."),
    "rights": ("rights", "Print the IAM policy that whoever deploys needs."),
    "plan": ("terraform", "Show what apply would change on AWS."),
    "apply": ("terraform", "Make AWS what the file says."),
    "output": ("terraform", "Print addresses and names that AWS gave."),
    "destroy": ("terraform", "Take an environment off AWS."),
}


class InfraVerbs(click.Group):
    """Finds a verb's module when the verb is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  the signature is click's
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002
        if name not in VERBS:
            return None
        module, _ = VERBS[name]
        command: click.Command = getattr(import_module(f"crossfade.cli.aws.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, what) for verb, (_, what) in VERBS.items()], col_max=12)


@click.group(
    cls=InfraVerbs,
    epilog="Examples: crossfade infra init | crossfade infra apply -e dev. Each verb explains itself and takes --json.",
)
def infra() -> None:
    """Write, plan and apply the AWS infrastructure of an environment.

    Begin with `crossfade infra init`. Terraform itself, or OpenTofu, is yours: crossfade drives it.
    """
