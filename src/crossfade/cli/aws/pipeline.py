"""`crossfade pipeline`: how a push becomes a release, as files that the team owns."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crossfade.cli.aws import generate
from crossfade.cli.call import FILE, Call, called
from crossfade.core.errors import RefusedError, WrongInputError

if TYPE_CHECKING:
    from crossfade.file.model import App

OURS = (".github/", ".gitlab-ci.yml")
WAY = "cloud: {pipeline: {by: github, repository: owner/name}}; or gitlab, or a list of both"


@click.group(epilog="Examples: crossfade pipeline init | crossfade pipeline init --check. It takes --json.")
def pipeline() -> None:
    """Write the pipeline that tests, builds, releases and goes back, for GitHub Actions or GitLab CI."""


@pipeline.command(epilog="Examples: crossfade pipeline init | crossfade pipeline init --check")
@called(state=False)
@click.option("-f", "--file", type=click.Path(path_type=Path), help=f"Default: {FILE} here or above.")
@click.option(
    "--to", type=click.Path(path_type=Path, file_okay=False), help="The repository. Default: the file's folder."
)
@click.option("--check", "checks", is_flag=True, help="Write nothing; exit code 3 when the file wants something else.")
@click.option("--force", is_flag=True, help="Overwrite edited files; yours are kept as .orig.")
@click.option("--keep", is_flag=True, help="Leave edited files as they are.")
def init(call: Call, *, file: Path | None, to: Path | None, checks: bool, force: bool, keep: bool) -> None:
    """Write the workflows that `cloud.pipeline.by` asks for: test, build once, deploy by environment, roll back.

    Run it again after every change of the file. What you edited is never overwritten unasked: it shows both, and stops.
    """
    from crossfade.aws.pipeline.files import files, hints
    from crossfade.aws.terraform.write import FileState, compare, write

    if sum((force, keep, checks)) > 1:
        raise WrongInputError("--force, --keep and --check mean different things", "one of them")
    path = dataclasses.replace(call, file=file).required()
    apps = _apps(path)
    comparison = compare(to or path.parent, files(apps), lambda name: name.startswith(OURS))
    if not call.json:
        click.echo(generate.shown(comparison, everything=checks), nl=False)
    drift = comparison.of(FileState.NEW, FileState.CHANGED, FileState.EDITED, FileState.GONE)
    if checks and drift:
        names = ", ".join(change.path for change in drift)
        raise RefusedError(f"not as {path} says: {names}", "`crossfade pipeline init` writes them")
    moved = {} if checks else write(comparison, force=force, keep=keep)
    missing = list(hints(apps))
    data = generate.data(comparison, [app.environment for app in apps], written=not checks)
    lines = [generate.told(comparison, moved, written=not checks), *(f"  {hint}" for hint in missing)]
    call.answer(data | {"moved": moved, "missing": missing}, "\n".join(lines))


def _apps(path: Path) -> "list[App]":
    """The environments with a pipeline of CI. WrongInputError where there is none."""
    from crossfade.aws.choose import on_aws
    from crossfade.aws.pipeline.files import asked_for

    apps = [app for app in on_aws(path) if asked_for([app])]
    if not apps:
        raise WrongInputError(f"no environment of {path} has a pipeline of GitHub or GitLab", WAY)
    return apps
