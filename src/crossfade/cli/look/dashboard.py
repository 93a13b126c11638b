"""The page that people leave open, and the way to it."""

import time

import click

from crossfade.cli.call import Call, called, who
from crossfade.cli.client import NotRunningError
from crossfade.core.errors import WrongInputError

FOREVER = 3600.0  # seconds of one sleep

STAYS = "it stays open until `crossfade dashboard --close`; who has this address can look, and order as you"
ENDS = "it is open until Ctrl-C; who has this address can look, and order as you"


@click.command(epilog="Examples: crossfade dashboard | crossfade dashboard --port 7070 | crossfade dashboard -e prod")
@called(app=True)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Of this machine's loopback. Default: as before, or a free one.",
)
@click.option("--close", "closes", is_flag=True, help="Close it; its address is worth nothing from then on.")
def dashboard(call: Call, *, port: int, closes: bool) -> None:
    """Open a page that shows what runs and what moves, live, and takes the orders of a rollout.

    It listens on 127.0.0.1 alone. From another machine: ssh -L 7070:127.0.0.1:PORT this-machine.
    """
    if closes:
        _close(call)
        return
    opened = call.ensured().post("/v1/page", port=port, by=who())
    elsewhere = call.away() is not None
    call.answer({"url": opened["url"], "port": opened["port"]}, f"{opened['url']}\n  {ENDS if elsewhere else STAYS}")
    while elsewhere:  # this process serves it
        time.sleep(FOREVER)


def _close(call: Call) -> None:
    if call.away():
        raise WrongInputError("--close is for this machine's page", "Ctrl-C ends the one of an environment elsewhere")
    try:
        was = call.client().post("/v1/page/close")["closed"]
    except NotRunningError:
        was = call.state.page.exists()
        call.state.page.unlink(missing_ok=True)
    call.answer({"closed": was}, "the page is closed" if was else "no page was open")
