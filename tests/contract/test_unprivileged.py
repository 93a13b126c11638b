"""Balancers whose workers are nobody where we are root: they serve all the same, and may do little else."""

import os
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from tests.adapters.until import until
from tests.contract.balancer_kits import Kit, NginxKit, kit, routing, service
from tests.support.backend import Backend
from tests.support.nobody import NOBODY, as_nobody

from crossfade.platforms.local.balancers.counted.tail import rotate
from crossfade.platforms.local.balancers.nginx import NginxBalancer

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can have workers that are somebody else")


@pytest.fixture(params=["nginx", "haproxy"])
async def lb(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kit]:
    (tmp_path / "state").mkdir(mode=0o700)  # which nobody but root can enter
    async with kit(request.param, tmp_path / "state" / "balancer") as made:
        yield made


def users_of(directory: Path) -> set[int]:
    """Who the processes are that were begun in this directory."""
    found = set()
    for process in Path("/proc").iterdir():
        with suppress(OSError):  # gone meanwhile
            if process.name.isdigit() and (process / "cwd").readlink() == directory:
                found.add(process.stat().st_uid)
    return found


async def test_workers_are_nobody_and_reach_ports_and_sockets(lb: Kit) -> None:
    """Also those of a reload and of a restart; the master alone stays root, for the ports that it opens."""
    web, other = service(), service("other", listen_on="socket")
    socket = lb.sockets / "a0f1c9a2"
    before = os.umask(0o077)  # an app may be strict with all that it makes
    try:
        async with Backend("a") as port, Backend("b", socket=socket) as unix:
            await lb.balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": port.address}, 1)
            await lb.balancer.apply(other, routing({1: 100}, {1: "b"}), {"b": unix.address}, 1)
            for change in (None, lb.balancer.restart):
                if change:
                    await change()
                assert ((await lb.ask(web)).body, (await lb.ask(other)).body) == ("a", "b")
                assert users_of(lb.directory) == {0, NOBODY}
    finally:
        os.umask(before)


async def test_what_a_worker_could_read_is_nothing_of_ours(lb: Kit) -> None:
    """From where it was begun it may enter no more than the sockets: books, keys and the journal stay closed."""
    web, _ = service(env=(("PASSWORD", "s3cret"),)), lb.sockets
    (lb.directory.parent / "journal.db").write_text("all")
    async with Backend("a") as app:
        await lb.balancer.apply(web, routing({1: 100}, {1: "a"}, preview=1), {"a": app.address}, 1)
    begun_in = os.open(lb.directory, os.O_PATH | os.O_DIRECTORY)
    try:
        for name in ("book.json", "preview.key", "../journal.db", "."):
            look = partial(os.open, name, os.O_RDONLY, dir_fd=begun_in)
            assert "Permission denied" in as_nobody(look), name
        assert not as_nobody(partial(os.open, "sockets", os.O_PATH, dir_fd=begun_in))
    finally:
        os.close(begun_in)


async def test_logs_are_opened_anew(tmp_path: Path) -> None:
    """A worker that is nobody goes on in the new file: what it counts would be lost in the old one."""
    directory = tmp_path / "state" / "balancer"
    directory.parent.mkdir(mode=0o700)
    async with kit("nginx", directory) as lb, Backend("a") as app:
        assert isinstance(lb, NginxKit)
        assert isinstance(lb.balancer, NginxBalancer)
        web = service()
        await lb.balancer.apply(web, routing({1: 100}, {1: "a"}), {"a": app.address}, 1)
        requests = directory / "requests.log"
        assert (await lb.ask(web)).status == 200
        await until(lambda: requests.stat().st_size > 0)
        rotate(requests, 0)
        lb.balancer._process.reopen_logs()
        await until(requests.exists)

        async def went_on() -> bool:
            async with aiohttp.ClientSession() as client, client.get(f"http://127.0.0.1:{web.listener.http}/"):
                return requests.stat().st_size > 0

        await until(went_on)
