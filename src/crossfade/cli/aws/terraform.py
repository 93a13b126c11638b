"""infra plan, apply, destroy and output: the user's own terraform, with progress, clear errors and confirmations."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crossfade.cli.aws.job import EnvironmentJob, confirmed, driven
from crossfade.core.errors import RefusedError, WrongInputError
from crossfade.telling.text import seconds, table

if TYPE_CHECKING:
    from crossfade.aws.terraform.changes import Changes
    from crossfade.aws.terraform.guard import SaidBefore

SHOWN = 3  # stale files in one message
SECRET = "(secret)"  # noqa: S105  what is shown instead of one


@click.command(epilog="Examples: crossfade infra plan -e prod | crossfade infra plan -e prod --out plan.json")
@driven
@click.option("--out", type=click.Path(path_type=Path), help="Write it as JSON, for `cost --plan` and `audit --plan`.")
@click.option("--save", type=click.Path(path_type=Path), help="Write it for `infra apply --plan`.")
def plan(job: EnvironmentJob, *, out: Path | None, save: Path | None) -> None:
    """Show what `apply` would change on AWS, and change nothing.

    What --out and --save write holds everything that Terraform knows, secrets too: keep it out of the repository.
    """
    from crossfade.aws.terraform.changes import read_changes
    from crossfade.cli.aws.changes import as_json, described

    _refuse_stale(job)
    with _plan_file() as file:
        with job.terraform(f"planning {job.environment}") as terraform:
            planned = terraform.plan(file)
        if out:
            _keep(out, json.dumps(planned).encode())
        if save:
            _keep(save, file.read_bytes())
    changes = read_changes(planned)
    job.call.answer({**as_json(changes, job.environment), "seconds": job.seconds}, described(changes, job.environment))


@click.command(
    epilog="Examples: crossfade infra apply -e dev --yes | crossfade infra apply -e prod --confirm prod --plan saved"
)
@driven
@confirmed
@click.option("--yes", is_flag=True, help="Do not ask. Production wants --confirm instead.")
@click.option("--plan", "saved", type=click.Path(path_type=Path), help="What `infra plan --save` wrote, exactly.")
def apply(job: EnvironmentJob, *, said: "SaidBefore", saved: Path | None) -> None:
    """Make AWS what the file says: plan, show the plan, ask, and make exactly what was shown.

    Production is confirmed by typing its name; what would lose data, by a second sentence. Ctrl-C stops in order:
    Terraform ends what is under way and saves its state.
    """
    from crossfade.aws.terraform.changes import read_changes

    with _plan_file() as file:
        if saved:
            _keep(file, _read(saved))
        else:
            _refuse_stale(job)
        with job.terraform(f"planning {job.environment}") as terraform:
            changes = read_changes(terraform.show(file) if saved else terraform.plan(file))
        _carry_out(job, changes, file, said)
    with job.terraform(f"reading the outputs of {job.environment}") as terraform:
        outputs = _without_secrets(terraform.outputs())
    lines = [_ended(job, changes), *([_table(outputs)] if outputs else [])]
    job.call.answer({**_counted(job, changes), "outputs": outputs}, "\n".join(lines))


@click.command(
    epilog="Examples: crossfade infra destroy -e dev | crossfade infra destroy -e dev --confirm dev --with-data"
)
@driven
@confirmed
def destroy(job: EnvironmentJob, *, said: "SaidBefore") -> None:
    """Take everything of an environment off AWS. Its name has to be typed, and a second sentence for its data.

    What protects itself (deletion protection, prevent_destroy, a bucket with objects) stays, and the rest goes.
    """
    from crossfade.aws.terraform.changes import read_changes

    with _plan_file() as file:
        with job.terraform(f"planning the end of {job.environment}") as terraform:
            changes = read_changes(terraform.plan(file, destroying=True))
        _carry_out(job, changes, file, said, destroying=True)
    job.call.answer(_counted(job, changes), _ended(job, changes))


@click.command(
    epilog="Examples: crossfade infra output | crossfade infra output alb_dns_name | crossfade infra output --json"
)
@driven
@click.argument("name", required=False)
def output(job: EnvironmentJob, *, name: str | None) -> None:
    """Print what Terraform says of the environment: addresses, names. A secret is printed only when it is named."""
    with job.terraform(f"reading the outputs of {job.environment}") as terraform:
        found = terraform.outputs()
    if name is None:
        outputs = _without_secrets(found)
        text = (
            _table(outputs) if outputs else f"{job.environment} has no outputs yet; `crossfade infra apply` makes them"
        )
        job.call.answer({"ok": True, "environment": job.environment, "outputs": outputs}, text)
        return
    if name not in found:
        raise WrongInputError(f"{job.environment} has no output {name}", f"it has {', '.join(found) or 'none'}")
    value = found[name]["value"]
    job.call.answer({"ok": True, "environment": job.environment, "outputs": {name: value}}, _bare(value))


def _carry_out(
    job: EnvironmentJob, changes: "Changes", file: Path, said: "SaidBefore", *, destroying: bool = False
) -> None:
    """Show, ask, and only then act."""
    from crossfade.aws.terraform.guard import is_guarded, protected, questions
    from crossfade.aws.terraform.trouble import BESIDE, PROTECTION
    from crossfade.cli.aws.changes import described
    from crossfade.cli.confirm import ask

    click.echo(described(changes, job.environment), err=job.call.json)
    if kept := protected(changes):
        raise RefusedError(
            f"AWS deletes nothing that is protected, and would stop half-way: {', '.join(kept)}; nothing was changed",
            f"take the protection back first: {PROTECTION}",
        )
    if changes.in_use:
        raise RefusedError(
            "AWS would refuse to delete target groups that the load balancer leads to, half-way: "
            f"{', '.join(changes.in_use)}; nothing was changed",
            BESIDE,
        )
    production = is_guarded(job.app)
    ask(questions(changes, job.environment, production=production, destroying=destroying), said)
    if changes:
        with job.terraform(f"{'destroying' if destroying else 'applying to'} {job.environment}") as terraform:
            terraform.apply(file, changes)


def _refuse_stale(job: EnvironmentJob) -> None:
    """What is planned is what the file says now, and not what it said when `infra init` was run last.

    But for tags of images: services begin with those of then, and deploys bring what the file says since.
    """
    from crossfade.aws.terraform.environment import without_image_tags
    from crossfade.aws.terraform.tree import tree
    from crossfade.aws.terraform.write import FileState, compare

    ours = (f"environments/{job.environment}/", "modules/")
    wanted = {path: text for path, text in tree([job.app]).items() if path.startswith(ours)}
    found = compare(job.root, wanted, lambda path: path.startswith(ours[0]))
    stale = [
        change.path
        for change in found.of(FileState.NEW, FileState.CHANGED, FileState.EDITED, FileState.GONE)
        if None in {change.there, change.wanted}
        or without_image_tags(change.there or "") != without_image_tags(change.wanted or "")
    ]
    if stale:
        shown = ", ".join(stale[:SHOWN]) + (f" and {len(stale) - SHOWN} more" if len(stale) > SHOWN else "")
        raise RefusedError(
            f"{job.root} is not what {job.call.required()} says: {shown}",
            f"`crossfade infra init -e {job.environment}` shows the difference and writes it; --keep is for your edits",
        )


def _counted(job: EnvironmentJob, changes: "Changes") -> dict[str, Any]:
    from crossfade.cli.aws.changes import counted

    return {**counted(changes, job.environment), "seconds": job.seconds}


def _ended(job: EnvironmentJob, changes: "Changes") -> str:
    done = f"{changes.add} added, {changes.change} changed, {changes.destroy} destroyed"
    return f"{job.environment}: {done if changes else 'there was nothing to do'}, in {seconds(job.seconds)}"


def _without_secrets(outputs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: SECRET if one.get("sensitive") else one["value"] for name, one in outputs.items()}


def _table(outputs: Mapping[str, Any]) -> str:
    return table((name, _text(value)) for name, value in outputs.items())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _bare(value: Any) -> str:
    """For scripts: a text as it is, and of several one a line."""
    several = isinstance(value, list) and all(isinstance(one, str) for one in value)
    return "\n".join(value) if several else _text(value)


@contextmanager
def _plan_file() -> Iterator[Path]:
    """A plan holds secrets: it is in memory, never on a disk, and gone with this process however that ends.

    Only Linux can do that. Elsewhere it is its owner's alone, and gone when this process ends in order.
    """
    if sys.platform != "linux":
        import tempfile

        with tempfile.TemporaryDirectory(prefix="crossfade-") as folder:
            yield Path(folder, "plan")
        return
    descriptor = os.memfd_create("plan")
    try:
        yield Path(f"/proc/{os.getpid()}/fd/{descriptor}")
    finally:
        os.close(descriptor)


def _keep(path: Path, content: bytes) -> None:
    """For its owner alone, also when it is there already."""
    try:
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_bytes(content)
    except OSError as error:
        raise RefusedError(f"{path} cannot be written: {error.strerror}", "name another file") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WrongInputError(f"{path} cannot be read: {error.strerror}", "`infra plan --save` writes one") from error
