"""The production plan played on this machine: under visitors, with a good release and a sick one."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crossfade.cli.call import Call, called
from crossfade.cli.output import write
from crossfade.core.errors import WrongInputError
from crossfade.held import LOCK

if TYPE_CHECKING:
    from crossfade.core.journey import LoadTest
    from crossfade.rehearse.cast import Both
    from crossfade.rehearse.paper import RehearsalAccount

TEST = Path("loadtest.yaml")
STAGE = "rehearse"
FORMS = (".html", ".md", ".json")
INTERRUPTED = 130
NOT_MET = 1


@click.command(
    epilog="Examples: crossfade rehearse -e prod | crossfade rehearse -e prod --faster 30 -o rehearsal.html | "
    "crossfade rehearse -e prod --stand-in api --sick slow"
)
@click.argument("test", type=click.Path(path_type=Path), required=False)
@called(file=True, state=False)
@click.option(
    "--faster", type=click.FloatRange(1, 3600), help="Divide waits by it. Default: so that it takes a minute."
)
@click.option("--users", type=click.IntRange(1, 1000), help="Visitors. Default: the load test's most, up to 100.")
@click.option(
    "--sick",
    type=click.Choice(["errors", "slow", "unhealthy", "crash"]),
    default="errors",
    show_default=True,
    help="What is wrong with the sick release.",
)
@click.option("--stand-in", "played", metavar="SERVICE", multiple=True, help="Have a small server play it instead.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Report: .html, .md or .json.")
def rehearse(
    call: Call,
    *,
    test: Path | None,
    faster: float | None,
    users: int | None,
    sick: str,
    played: tuple[str, ...],
    output: Path | None,
) -> int:
    """Play a deploy to an environment on this machine, under the visitors of TEST (loadtest.yaml beside the file).

    Same strategy, steps, guards and hooks, with waits divided by a factor that is stated; services as processes or
    containers with the limits of their tasks. A good release, then a sick one. Nothing is asked of AWS, and nothing is
    left here. Exit code: 0 all is well, 1 something was lost or missed.
    """
    from crossfade.rehearse import cast, paper
    from crossfade.telling.paper.markdown import spoken

    if output and output.suffix not in FORMS:
        raise WrongInputError(f"{output} ends in {output.suffix or 'nothing'}", f"allowed: {', '.join(FORMS)}")
    if output and not output.absolute().parent.is_dir():
        raise WrongInputError(f"{output} is in a folder that does not exist", "make it, or name another with -o")
    if call.environment is None:
        raise WrongInputError("no environment to rehearse is named", "name one with -e")
    both = cast.read(call.required(), call.environment)
    account = _play(call, both, _test(both, test, users), faster=faster, sick=sick, played=frozenset(played))
    if account is None:
        return INTERRUPTED
    data = paper.data(account)
    if output:
        _write(output, account)
        data["file"] = str(output)
    call.answer(data, spoken(paper.markdown(account)).rstrip("\n"))
    return 0 if paper.holds(account) else NOT_MET


def _play(
    call: Call, both: "Both", test: "LoadTest", *, faster: float | None, sick: str, played: frozenset[str]
) -> "RehearsalAccount | None":
    from crossfade.cli.ship.screens import screen
    from crossfade.rehearse import cast as casting
    from crossfade.rehearse import containers
    from crossfade.rehearse.arrange import told_pace
    from crossfade.rehearse.course import chosen_pace
    from crossfade.rehearse.journeys import fitting
    from crossfade.rehearse.play import Play
    from crossfade.rehearse.sums import account_of
    from crossfade.stage.stage import Stage, clear_deserted, free_port, new_folder

    sick_service = next((one.name for one in both.plans if one.kind == "web"), "")
    if not sick_service:
        raise WrongInputError("no service of the file gets requests, so none can be lost", "add one that does")
    pace = faster or chosen_pace(both.plans)
    shown = screen(as_json=call.json)
    for left in asyncio.run(clear_deserted(STAGE)):
        containers.clear(Stage(folder=left, port=0, said=_quiet).state)
        shown.say(f"{left} was left by a rehearsal that was killed: cleared away")
    stage = Stage(folder=new_folder(STAGE), port=free_port(), said=_quiet)
    try:
        cast = casting.cast(both, port=stage.port, faster=pace, folder=stage.folder / "well", played=played)
        said = _quiet if call.json else shown.say
        said(f"{both.app.name} as in {both.app.environment}, {told_pace(pace)}, in {stage.folder}")
        for role in cast.roles:
            said("; ".join((f"{role.name} by {role.by}", *role.otherwise)))
        play = Play(stage, cast, fitting(test, cast), sick=sick, sick_service=sick_service, said=said)
        done = asyncio.run(play.go(casting.secrets(both, cast)))
    finally:
        shown.close()
        if not _gone(stage.folder):
            click.echo(f"{stage.folder} could not be removed: other users own files in it", err=True)
    return account_of(both, cast, pace, done, sick) if done else None


def _gone(folder: Path) -> bool:
    """Nothing is left of it. Where nothing was played only its lock is; a container's files may be root's, and stay."""
    with suppress(OSError):
        (folder / LOCK).unlink(missing_ok=True)
        folder.rmdir()
    return not folder.exists()


def _test(both: "Both", path: Path | None, users: int | None) -> "LoadTest":
    from crossfade.file.loadtest.load import load
    from crossfade.rehearse.journeys import shaped, simple

    found = path or (both.folder / TEST if (both.folder / TEST).is_file() else None)
    if found is None:
        return simple(both.plans, users)
    return shaped(load(found, str(found)).made(both.app.cloud.targets, found.absolute().parent), users)


def _write(output: Path, account: "RehearsalAccount") -> None:
    from crossfade.rehearse import paper

    match output.suffix:
        case ".html":
            text = paper.html(account)
        case ".json":
            text = json.dumps(paper.data(account), indent=2) + "\n"
        case _:
            text = paper.markdown(account)
    write(output, text)


def _quiet(_: str) -> None:
    pass
