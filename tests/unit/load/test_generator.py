import asyncio
import json
import shutil
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from tests.adapters.until import until
from tests.unit.load import wire
from tests.unit.load.conftest import Serve

from crossfade.core.errors import WrongInputError
from crossfade.load import Cause, LoadGenerator, LoadReport


class Service:
    """Answers with its release, after `delay` seconds."""

    def __init__(self, release: str = "1", delay: float = 0.0) -> None:
        self.release = release
        self.delay = delay
        self.requests = 0
        self.warm = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await wire.request(reader)
            self.requests += 1
            if self.requests == 100:
                self.warm.set()
            await asyncio.sleep(self.delay)
            writer.write(wire.answer(release=self.release))


async def test_what_is_reported_is_what_the_server_saw(serve: Serve) -> None:
    """The server has seen exactly the requests that are reported."""
    service = Service()
    async with LoadGenerator(await serve(service), clients=5) as traffic:
        await until(lambda: traffic.snapshot().connections == 5)
    assert traffic.report().requests == service.requests > 0
    assert (traffic.report().failed, traffic.report().connections) == (0, 5)


async def test_the_number_of_requests_is_exact(serve: Serve) -> None:
    """A bound on requests holds for all clients together."""
    service = Service()
    report = await LoadGenerator(await serve(service), clients=7, requests=100).run()
    assert report.requests == service.requests == 100


async def test_stopping_waits_for_what_is_under_way(serve: Serve) -> None:
    """A stop lets the answers come in: they are counted, and none is lost."""
    service = Service(delay=1.0)
    async with LoadGenerator(await serve(service), clients=4) as traffic:
        await until(lambda: service.requests == 4)
        assert traffic.snapshot().requests == 0
    assert (traffic.report().requests, traffic.report().failed) == (4, 0)


async def test_a_rate_is_kept(serve: Serve) -> None:
    """At 100 a second the 50th request is not sent before 0.49 s, however many clients there are."""
    report = await LoadGenerator(await serve(Service()), clients=10, rate=100, requests=50).run()
    assert report.requests == 50
    assert report.seconds >= 0.49


async def test_a_rate_catches_up_after_a_stall(serve: Serve) -> None:
    """A service that stalls is asked as often as a quick one: what it was spared in an hour comes after, at once."""
    service = Service()
    traffic = LoadGenerator(await serve(service), clients=1, rate=1 / 60, requests=60)
    clock = traffic._tally.clock
    traffic._tally.clock = lambda: clock() + (3600.0 if service.requests else 0.0)
    async with asyncio.timeout(30):
        report = await traffic.run()
    assert report.requests == 60


async def test_the_switch_is_on_the_timeline(serve: Serve) -> None:
    """Each release has the times of its first and its last answer, and they are those of this machine's clocks."""
    service = Service("1")
    clock = asyncio.get_running_loop().time
    async with LoadGenerator(await serve(service), clients=4) as traffic:
        await until(lambda: traffic.snapshot().requests > 4)
        switched, service.release = clock(), "2"
        await until(lambda: "2" in (now := traffic.snapshot().releases) and now["2"].requests > 4)
    old, new = traffic.report().releases["1"], traffic.report().releases["2"]
    assert old.first_seen < old.last_sent <= switched
    assert old.last_sent <= old.last_seen
    assert switched <= new.first_seen < new.last_sent <= new.last_seen
    assert traffic.report().switch_ms("1", "2") == pytest.approx((old.last_seen - new.first_seen) * 1000)


async def test_laps_add_up_to_the_whole(serve: Serve) -> None:
    """A lap has what happened since the one before; the report has everything, once."""
    service = Service("1")
    async with LoadGenerator(await serve(service), clients=4) as traffic:
        await until(lambda: traffic.snapshot().requests)
        first = traffic.lap()
        service.release = "2"
        await until(lambda: "2" in traffic.snapshot().releases)
    second = traffic.lap()
    whole = traffic.report()
    assert set(first.releases) == {"1"}
    assert second.releases["2"].requests > 0
    assert first + second == whole
    assert whole.requests == service.requests


async def test_stopping_twice_changes_nothing(serve: Serve) -> None:
    """A run that reached its bound is over: leaving its block adds nothing, not even time."""
    async with LoadGenerator(await serve(Service()), clients=2, requests=10) as traffic:
        report = await traffic.wait()
        await asyncio.sleep(0.02)
    assert traffic.report() == report


async def test_a_service_that_goes_away_is_counted(serve: Serve) -> None:
    """Losses begin when the service ends, and the run goes on."""

    async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(10):
            await wire.request(reader)
            writer.write(wire.answer())
        await wire.request(reader)
        wire.reset(writer)

    report = await LoadGenerator(await serve(dies), clients=3, requests=66).run()
    assert (report.requests, report.causes) == (66, {Cause.RESET: 6})


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://192.0.2.1:80", "this machine only"),
        ("ftp://127.0.0.1", "not a URL"),
        ("127.0.0.1:8080", "not a URL"),
        ("http://127.0.0.1:99999", "not a URL"),
        ("http://", "names no host"),
    ],
)
def test_only_this_machine_gets_load(url: str, said: str) -> None:
    """A URL that is wrong, or leads to another machine, is refused before anything is sent."""
    with pytest.raises(WrongInputError, match=said):
        LoadGenerator(url)


def test_another_machine_gets_load_when_it_is_meant() -> None:
    """`anywhere` allows another machine."""
    LoadGenerator("http://192.0.2.1:80", anywhere=True)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and a certificate for localhost that signs itself, in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    made = tmp_path / "localhost.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-keyout", made, "-out", tmp_path / "certificate", "-days", "1", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    with made.open("ab") as file:
        file.write((tmp_path / "certificate").read_bytes())
    return made


async def test_https_is_spoken(certificate: Path) -> None:
    """Over HTTPS everything is counted as over HTTP; a certificate that is not trusted is a refused connection."""
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(certificate)
    server = await asyncio.start_server(Service(), "127.0.0.1", 0, ssl=serving)
    url = f"https://localhost:{server.sockets[0].getsockname()[1]}"
    trusting = ssl.create_default_context(cafile=certificate)
    report = await LoadGenerator(url, clients=3, requests=60, tls=trusting).run()
    assert (report.requests, report.failed, report.connections) == (60, 0, 3)
    report = await LoadGenerator(url, clients=1, requests=2).run()
    assert report.causes == {Cause.REFUSED: 2}
    server.close()


async def command(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "crossfade.load",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_the_command_reports_in_json(serve: Serve) -> None:
    """As a process of its own it prints the same report, and exits 0 when nothing was lost."""
    service = Service("7")
    process = await command(await serve(service), "--requests", "100", "--clients", "3", "--json")
    out, _ = await process.communicate()
    report = LoadReport.from_json(json.loads(out))
    assert (process.returncode, report.requests, report.failed) == (0, 100, 0)
    assert (report.releases["7"].requests, service.requests) == (100, 100)


async def test_the_command_ends_with_a_report_when_it_is_told_to(serve: Serve) -> None:
    """SIGTERM ends the run in an orderly way: the report is printed and nothing is lost."""
    service = Service()
    process = await command(await serve(service), "--seconds", "60", "--json")
    await service.warm.wait()
    process.send_signal(signal.SIGTERM)
    out, _ = await process.communicate()
    assert (process.returncode, json.loads(out)["requests"]) == (0, service.requests)


async def test_the_command_fails_when_a_request_was_lost(serve: Serve) -> None:
    """Exit code 1 says that something was lost, and the text says what."""

    async def broken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await wire.request(reader)
        writer.write(wire.answer(status=502))

    process = await command(await serve(broken), "--requests", "3")
    out, _ = await process.communicate()
    assert process.returncode == 1
    assert "3 requests" in out.decode()
    assert "3 lost\n  3 status\n  such as status: 502 from /" in out.decode()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["http://192.0.2.1"], "this machine only"),
        (["http://127.0.0.1", "--clients", "0"], "--clients"),
        (["http://127.0.0.1", "--header", "nonsense"], "--header"),
        (["http://127.0.0.1", "--release-pattern", "("], "--release-pattern"),
        (["https://127.0.0.1", "--cacert", "/not/there"], "/not/there cannot be read"),
    ],
)
async def test_the_command_refuses_wrong_input(arguments: list[str], said: str) -> None:
    """Wrong input ends with exit code 2 and what was wrong, without a traceback."""
    process = await command(*arguments)
    _, error = await process.communicate()
    assert process.returncode == 2
    assert said in error.decode()
    assert "Traceback" not in error.decode()
