"""`python -m crossfade.load http://127.0.0.1:8080 --clients 64 --seconds 10 --json`"""

import argparse
import asyncio
import json
import re
import signal
import ssl
import sys
from collections.abc import Callable

from crossfade.core.errors import WrongInputError
from crossfade.load.generator import LoadGenerator
from crossfade.load.report import LoadReport, Mode


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m crossfade.load",
        description="Sends traffic to a service on this machine and counts every request that is lost.",
        epilog="Exit code: 0 nothing was lost, 1 something was, 2 wrong input. SIGTERM and Ctrl-C report, too.",
    )
    parser.add_argument("url", help="such as http://127.0.0.1:8080/api/version")
    parser.add_argument("--mode", choices=[mode.value for mode in Mode], default=Mode.KEEPALIVE.value)
    parser.add_argument("--clients", type=_positive(int), default=8, metavar="N")
    parser.add_argument("--seconds", type=_positive(float), metavar="S", help="stop after so long")
    parser.add_argument("--requests", type=_positive(int), metavar="N", help="stop after so many")
    parser.add_argument("--rate", type=_positive(float), metavar="N", help="requests a second, of all clients together")
    parser.add_argument("--path", action="append", default=[], help="instead of the URL's; several are asked in turn")
    parser.add_argument("--timeout", type=_positive(float), metavar="S", help="for one request")
    parser.add_argument("--header", action="append", default=[], type=_header, metavar="'NAME: VALUE'")
    parser.add_argument("--release-header", default="X-Release", metavar="NAME")
    parser.add_argument("--release-pattern", type=_pattern, metavar="REGEX", help="finds it in the body instead")
    parser.add_argument("--cacert", metavar="FILE", help="the certificate to trust, for https")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    parser.add_argument("--anywhere", action="store_true", help="allow a URL that is not on this machine")
    options = parser.parse_args(arguments)
    if options.seconds is None and options.requests is None:
        options.seconds = 10.0
    return options


def _positive(kind: type[int] | type[float]) -> Callable[[str], float]:
    def convert(text: str) -> float:
        try:
            number = kind(text)
        except ValueError:
            number = 0
        if number <= 0:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
        return number

    return convert


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise argparse.ArgumentTypeError(f"{text!r} is not 'NAME: VALUE'")
    return name.strip(), value.strip()


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a pattern: {error}") from None
    return text


def _trusting(certificate: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=certificate)
    except OSError as error:
        raise WrongInputError(f"{certificate} cannot be read: {error.strerror}", "--cacert wants a PEM file") from None


async def run(options: argparse.Namespace) -> LoadReport:
    traffic = LoadGenerator(
        options.url,
        mode=options.mode,
        clients=options.clients,
        seconds=options.seconds,
        requests=options.requests,
        rate=options.rate,
        path=options.path,
        timeout=options.timeout,
        headers=dict(options.header),
        release_header=options.release_header,
        release_pattern=options.release_pattern,
        tls=_trusting(options.cacert) if options.cacert else None,
        anywhere=options.anywhere,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, traffic.finish)
    return await traffic.run()


def main() -> int:
    options = parse(sys.argv[1:])
    try:
        report = asyncio.run(run(options))
    except WrongInputError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(json.dumps(report.to_json()) + "\n" if options.json else describe(report))
    return 1 if report.failed else 0


def describe(report: LoadReport) -> str:
    """The report as text, one fact a line."""
    data = report.to_json()
    lines = [f"{report.requests} requests in {report.seconds:.1f} s, {report.failed} lost"]
    lines += [f"  {number} {cause}" for cause, number in report.causes.items()]
    lines += [f"  such as {loss.cause}: {loss.detail}" for loss in report.losses[:3]]
    lines += [f"{data['per_second']} a second, p50 {data['p50_ms']} ms, p99 {data['p99_ms']} ms"]
    lines += [f"release {name} answered {seen.requests}" for name, seen in sorted(report.releases.items())]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
