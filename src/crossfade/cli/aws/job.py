"""A job of Terraform: one environment, its folder, and the program, as every verb that drives it has them."""

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crossfade.cli.call import Call, called
from crossfade.core.errors import WrongInputError

if TYPE_CHECKING:
    from crossfade.aws.terraform.program import Terraform
    from crossfade.file.model import App

Verb = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class EnvironmentJob:
    """One environment, and the program that works on it."""

    call: Call
    app: "App"
    root: Path  # infrastructure/
    program: str
    wait: float
    _began: float = field(default_factory=time.monotonic)

    @property
    def environment(self) -> str:
        return self.app.environment

    @property
    def folder(self) -> Path:
        """Where Terraform works."""
        return self.root / "environments" / self.environment

    @property
    def seconds(self) -> float:
        """Since it began."""
        return round(time.monotonic() - self._began, 1)

    @contextmanager
    def terraform(self, doing: str) -> "Iterator[Terraform]":
        """Its progress is shown as long as this lasts."""
        from crossfade.aws.terraform.program import Terraform
        from crossfade.cli.ship.screens import screen

        shown = screen(as_json=self.call.json)
        try:
            with shown.doing(doing):
                yield Terraform(self.program, self.folder, self.environment, shown, self.wait)
        finally:
            shown.close()


def driven(verb: Verb) -> Verb:
    """Give a verb the options that all of these have, and hand them over as one `Job`, first."""

    @click.option("--terraform", metavar="PATH", help="The program. Default: $CROSSFADE_TERRAFORM, terraform, or tofu.")
    @click.option("--wait", metavar="TIME", default="0s", help="How long to wait for somebody else's lock, such as 5m.")
    @click.option(
        "--in", "at", type=click.Path(path_type=Path), metavar="DIR", help="What `infra init --to` was given."
    )
    @functools.wraps(verb)
    def run(call: Call, *, terraform: str | None, wait: str, at: Path | None, **given: Any) -> Any:
        return verb(_job(call, terraform, wait, at), **given)

    made: Verb = called(file=True, state=False)(run)
    return made


def confirmed(verb: Verb) -> Verb:
    """Give a verb the options that answer beforehand what a person would be asked, handed over as `said`."""

    @click.option("--confirm", metavar="NAME", help="The environment's name, where it would have to be typed.")
    @click.option("--with-data", is_flag=True, help="What holds data may be lost.")
    @functools.wraps(verb)
    def run(job: EnvironmentJob, *, confirm: str | None, with_data: bool, yes: bool = False, **given: Any) -> Any:
        from crossfade.aws.terraform.guard import SaidBefore

        if confirm not in {None, job.environment}:
            raise WrongInputError(
                f"--confirm {confirm} names a different environment from {job.environment}",
                "name the one that you mean",
            )
        return verb(job, said=SaidBefore(yes=yes, confirm=confirm, with_data=with_data), **given)

    return run


def _job(call: Call, program: str | None, wait: str, at: Path | None) -> EnvironmentJob:
    from crossfade.aws.choose import one_on_aws
    from crossfade.aws.terraform.program import find
    from crossfade.cli.aws.generate import FOLDER
    from crossfade.file.units import Duration

    try:
        patience = Duration(most=86400).read(wait)
    except ValueError as wrong:
        raise WrongInputError(f'--wait: found "{wait}"', f"allowed: {wrong}") from wrong
    path = call.required()
    app = one_on_aws(path, call.environment)
    job = EnvironmentJob(call, app, at or path.parent / FOLDER, find(program), patience)
    if not job.folder.is_dir():
        raise WrongInputError(f"{job.folder} does not exist", "`crossfade infra init` writes it")
    return job
