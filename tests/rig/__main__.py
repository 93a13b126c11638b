"""`python -m tests.rig`: the rig by hand."""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

from tests.rig.knobs import LAG, Knobs


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.rig", description=__doc__)
    parser.add_argument("--port", type=int, default=4577, help="of the endpoint; 0: any that is free (default: 4577)")
    parser.add_argument("--pace", type=float, default=10.0, help="divides AWS's times (default: 10, a minute is 6 s)")
    parser.add_argument("--lag", type=float, default=LAG, help="AWS's seconds until the data plane follows (2)")
    parser.add_argument("--folder", type=Path, help="where Envoy's files are kept; none: a temporary one")
    parser.add_argument("--ends-with-parent", action="store_true", help="end when standard input does")
    parser.add_argument("--json", action="store_true", help="say the endpoint as JSON")
    return parser.parse_args(arguments)


async def run(asked: argparse.Namespace) -> None:
    from tests.rig.server import Server  # moto takes seconds to import

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with tempfile.TemporaryDirectory(prefix="rig-") as temporary:
        server = Server(asked.folder or Path(temporary), Knobs(pace=asked.pace, lag=asked.lag))
        try:
            endpoint = await server.start(asked.port)
            sys.stdout.write((json.dumps({"endpoint": endpoint}) if asked.json else endpoint) + "\n")
            sys.stdout.flush()
            if asked.ends_with_parent:
                asyncio.get_running_loop().add_reader(sys.stdin, _ended, stop)
            await stop.wait()
        finally:
            await server.close()


def _ended(stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 1024):
        asyncio.get_running_loop().remove_reader(sys.stdin)
        stop.set()


if __name__ == "__main__":
    asyncio.run(run(parse(sys.argv[1:])))
