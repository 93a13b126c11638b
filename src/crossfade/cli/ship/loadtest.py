"""Visitors on journeys, a verdict against what was promised, and a deploy in the middle of it."""

import asyncio
import ipaddress
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from crossfade.cli.call import Call, called
from crossfade.cli.output import write
from crossfade.core.errors import CrossfadeError, RefusedError, WrongInputError

if TYPE_CHECKING:
    from crossfade.core.journey import LoadTest
    from crossfade.file.model import App
    from crossfade.load.journeys.book import LoadBook
    from crossfade.load.journeys.verdict import Result
    from crossfade.load.target import LoadTarget

TEST = Path("loadtest.yaml")
FORMS = {".html": "html", ".md": "markdown", ".svg": "svg", ".json": "json"}
NOT_MET = 1


@click.command(
    epilog="Examples: crossfade loadtest | crossfade loadtest --during deploy -o seen.html | crossfade loadtest -e prod"
)
@click.argument("test", type=click.Path(path_type=Path), default=TEST, required=False)
@called(file=True, state=False)
@click.option("--url", help="Where to. Default: the test's `url`, else where the file's environment is reached.")
@click.option(
    "--during", type=click.Choice(["deploy", "rollback", "restart"]), help="Run it in the middle of the test."
)
@click.option(
    "--times", type=click.IntRange(1, 100), default=1, show_default=True, help="How often, one after the other."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Report: .html, .md, .svg or .json."
)
@click.option("--yes-i-may", is_flag=True, help="The target is not this machine, and whoever it belongs to agrees.")
def loadtest(
    call: Call, *, test: Path, url: str | None, during: str | None, times: int, output: Path | None, yes_i_may: bool
) -> int:
    """Send visitors on the journeys of TEST (loadtest.yaml) and hold what they met against what was promised.

    Exit code: 0 every promise is met, 1 one is not.
    """
    from crossfade.file.loadtest.load import load
    from crossfade.load.journeys.verdict import Result

    if output and output.suffix not in FORMS:
        raise WrongInputError(f"{output} ends in {output.suffix or 'nothing'}", f"allowed: {', '.join(FORMS)}")
    sheet = load(test, str(test))
    app = _app(call)
    where = url or sheet.url or _reached(app)
    target = _target(where, sheet.timeout, sheet.release, anywhere=yes_i_may)
    made = sheet.made(app.cloud.targets if app else None, test.absolute().parent)
    commands = (
        tuple((f"{during} {n + 1}" if times > 1 else during, _command(call, during)) for n in range(times))
        if during
        else ()
    )
    try:
        book = asyncio.run(_run(made, target, commands))
    except KeyboardInterrupt:
        raise WrongInputError("ended before anything was counted", "let it run") from None
    result = Result(name=f"Load test of {where}", book=book, promises=made.promises, monthly=_monthly(app))
    return _told(call, result, output)


async def _run(
    test: "LoadTest", target: "LoadTarget", commands: tuple[tuple[str, Callable[[], Awaitable[int]]], ...]
) -> "LoadBook":
    from crossfade.load.journeys.run import LoadRun

    run = LoadRun(test, target, commands)
    await run.rehearse()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, run.stop)
    return await run.go()


def _told(call: Call, result: "Result", output: Path | None) -> int:
    from crossfade.load.journeys import paper
    from crossfade.load.journeys.verdict import holds
    from crossfade.telling.paper.markdown import spoken

    data = paper.data(result)
    if output:
        _write(output, result)
        data["file"] = str(output)
    call.answer(data, spoken(paper.markdown(result)).rstrip("\n"))
    broken = any(command.code for command in result.book.commands)
    return NOT_MET if broken or not holds(result.rows) else 0


def _write(output: Path, result: "Result") -> None:
    import json

    from crossfade.load.journeys import paper

    match FORMS[output.suffix]:
        case "html":
            text = paper.html(result)
        case "svg":
            text = paper.svg(result.book)
        case "json":
            text = json.dumps(paper.data(result), indent=2) + "\n"
        case _:
            text = paper.markdown(result)
    write(output, text)


def _monthly(app: "App | None") -> float | None:
    """What the environment costs in dollars; None where it is not on AWS."""
    if app is None or app.platform != "aws":
        return None
    from crossfade.aws.cost.file import of_app

    with suppress(CrossfadeError):  # without a bill there is a load test all the same
        return float(of_app(app).total.expected)
    return None


def _app(call: Call) -> "App | None":
    """The environment of the file, where there is one; its targets are what was promised."""
    from crossfade.file.load import load

    path = call.found()
    if path is None:
        if call.environment:
            call.required()
        return None
    return load(path, call.environment, called=str(path))


def _reached(app: "App | None") -> str:
    if app is None:
        raise WrongInputError(
            "the test has no `url`, and there is no crossfade.yaml that has it", "give one with --url"
        )
    if app.platform == "local":
        return f"http://127.0.0.1:{app.listen.http}" if app.listen.http else f"https://127.0.0.1:{app.listen.https}"
    if app.cloud.domain is None:
        raise WrongInputError(f"environment {app.environment} has no domain", "give the balancer's address with --url")
    from crossfade.aws.resources.hostnames import api_name

    return f"https://{api_name(app)}"  # the services' name: where a site has the domain's own, they have another


def _target(url: str, timeout: float, release: str, *, anywhere: bool) -> "LoadTarget":
    """RefusedError for another machine, unless somebody says that they may: nothing was asked of it yet."""
    from crossfade.load.target import LoadTarget, resolve

    host = urlsplit(url).hostname
    if host and not anywhere and not _is_ours(host):
        raise RefusedError(
            f"{host} is not this machine: no load was sent", "--yes-i-may, if whoever it belongs to agrees to the load"
        )
    endpoint, name, path = resolve(url, anywhere=True)
    if path != "/":
        raise WrongInputError(f"{url} has a path", "put paths into the steps")
    return LoadTarget(endpoint, name, ("/",), timeout, release_header=release.lower())


def _is_ours(host: str) -> bool:
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return True  # `resolve` says what is wrong with it
    return all(ipaddress.ip_address(str(address).partition("%")[0]).is_loopback for address in found)


def _command(call: Call, verb: str) -> Callable[[], Awaitable[int]]:
    """The verb as a process of its own, with our file and environment; a deploy also of what runs already."""
    words = [sys.executable, "-m", "crossfade.cli.main", verb, *(["--force"] if verb == "deploy" else [])]
    words += ["--file", str(call.file)] if call.file else []
    words += ["-e", call.environment] if call.environment else []

    async def run() -> int:
        process = await asyncio.create_subprocess_exec(
            *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL
        )
        return await process.wait()

    return run
