"""`crossfade watch`: status, live."""

import json
import sys
import time

import click

from crossfade.cli.call import Call, called
from crossfade.cli.client import LostError, NotRunningError
from crossfade.cli.look.status import ALONE, NOTHING, shown
from crossfade.cli.streams import end_with_reader
from crossfade.telling.text import plain

EVERY = 0.5


@click.command(epilog="Examples: crossfade watch | crossfade watch --app feedback")
@called(app=True)
def watch(call: Call) -> None:
    """Status that keeps itself up to date, until Ctrl-C.

    Without a terminal the new status is printed whenever it changes; with --json each is one line.
    """
    last = ""
    if sys.stdout.isatty() and not call.json:
        _live(call)
        return
    end_with_reader()
    while True:
        data, text = _look(call)
        shown = json.dumps(data) if call.json else plain(text)
        if shown != last:
            click.echo(shown)
            sys.stdout.flush()
            last = shown
        time.sleep(EVERY)


def _live(call: Call) -> None:
    from rich.live import Live
    from rich.text import Text

    with Live(Text(), screen=True, auto_refresh=False) as live:
        while True:
            live.update(Text(plain(_look(call)[1])), refresh=True)
            time.sleep(EVERY)


def _look(call: Call) -> tuple[object, str]:
    """A controller that is away may come back: the watch goes on."""
    try:
        found = call.client().get("/v1/status", app=call.chosen_app())
    except (NotRunningError, LostError):
        return {"services": []}, ALONE if call.state.used else NOTHING
    return found, shown(found)
