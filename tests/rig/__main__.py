"""An AWS on this machine, by hand: one endpoint for the AWS CLI, Terraform, botocore and crossfade."""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

from tests.rig.knobs import LAG, Knobs

PORT = 4577
USE = """\
Point any client at it, in another shell:

  export AWS_ENDPOINT_URL={endpoint} AWS_REGION=us-east-1
  export AWS_ACCESS_KEY_ID=rig AWS_SECRET_ACCESS_KEY=rig AWS_EC2_METADATA_DISABLED=true
  aws elbv2 describe-load-balancers            # the AWS CLI
  crossfade infra apply -e dev                 # and Terraform by itself, as both read these variables

Where listeners really are, and what was called:

  curl {endpoint}/_rig/listeners
  curl {endpoint}/_rig/calls

Knobs, while it runs; times are AWS's seconds, divided by the pace:

  curl -X PUT {endpoint}/_rig/knobs -d '{{"lag": 20, "faults": [{{"service": "ecs", "rate": 0.5}}]}}'

A fault has service and operation (* fits all), kind (refused, lost, late, unheard), rate, times, code, message, status
and seconds. An image is a program of this machine:

  curl -X PUT {endpoint}/_rig/images -d '{{"reference": "shop/web:1", "command": ["python3", "app.py"], "folder": "."}}'
"""


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.rig",
        description=__doc__,
        epilog=USE.format(endpoint=f"http://127.0.0.1:{PORT}"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=PORT, help=f"of the endpoint; 0: any that is free ({PORT})")
    parser.add_argument("--pace", type=_positive, default=10.0, help="divides AWS's times (10: a minute is 6 s)")
    parser.add_argument("--lag", type=float, default=LAG, help=f"AWS's seconds until the data plane follows ({LAG:g})")
    parser.add_argument("--place", metavar="APP", help="make a web service in two colours, ready to deploy to")
    parser.add_argument("--containers", action="store_true", help="run images that Docker has as containers")
    parser.add_argument("--folder", type=Path, help="where Envoy's files are kept; none: a temporary one")
    parser.add_argument("--ends-with-parent", action="store_true", help="end when standard input does")
    parser.add_argument("--json", action="store_true", help="say the endpoint and the place as one line of JSON")
    return parser.parse_args(arguments)


def _positive(text: str) -> float:
    value = float(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


async def run(asked: argparse.Namespace) -> None:
    from tests.rig.server import Server  # moto takes seconds to import

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with tempfile.TemporaryDirectory(prefix="rig-") as temporary:
        server = Server(
            asked.folder or Path(temporary), Knobs(pace=asked.pace, lag=asked.lag), containers=asked.containers
        )
        try:
            endpoint = await server.start(asked.port)
            place = await asyncio.to_thread(_place, endpoint, asked.place) if asked.place else {}
            _say(endpoint, place, as_json=asked.json)
            if asked.ends_with_parent:
                asyncio.get_running_loop().add_reader(sys.stdin, _ended, stop)
            await stop.wait()
        finally:
            await server.close()


def _place(endpoint: str, app: str) -> dict[str, object]:
    from dataclasses import asdict

    from tests.rig.place import make
    from tests.rig.rig import Rig

    rig = Rig()
    rig.endpoint = endpoint
    place = make(rig, app)
    return {**asdict(place), "url": f"http://{rig.address_of(place.load_balancer)}"}


def _say(endpoint: str, place: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps({"endpoint": endpoint, **({"place": place} if place else {})}) + "\n")
    else:
        made = "".join(f"  {name}: {value}\n" for name, value in place.items())
        sys.stdout.write(f"{endpoint}\n\n{USE.format(endpoint=endpoint)}" + (f"\nThe place:\n\n{made}" if made else ""))
    sys.stdout.flush()


def _ended(stop: asyncio.Event) -> None:
    """Whoever started us is gone."""
    if not os.read(sys.stdin.fileno(), 1024):
        asyncio.get_running_loop().remove_reader(sys.stdin)
        stop.set()


if __name__ == "__main__":
    asyncio.run(run(parse(sys.argv[1:])))
