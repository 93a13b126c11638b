"""The page that people leave open: who is let in, what it is told, and what it may order."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession, UnixConnector
from tests.support.ports import free_port
from tests.unit.controller.site import within
from tests.unit.controller.there import BAKED, HOME, Process, There

from crossfade.controller.page.asking import Asking
from crossfade.controller.page.door import PagePort
from crossfade.controller.page.page import STATIC
from crossfade.controller.page.pulse import PagePulse
from crossfade.engine.ports.journal import Event

Json = dict[str, Any]

READ = ["", "page.css", "page.js", "live", f"ledger?app={HOME}&service=web", f"logs?app={HOME}&service=web"]
ORDERED = ["order/promote", "order/abort", "rollback"]


class Visitor:
    """Somebody with a browser and the page's address."""

    def __init__(self, session: ClientSession, url: str) -> None:
        self._session, self.url = session, url

    async def get(self, path: str) -> ClientResponse:
        return await within(self._session.get(self.url + path))

    async def order(self, path: str, headers: Json | None = None, **body: Any) -> tuple[int, Json]:
        sent = {"app": HOME, "service": "web", **body}
        async with self._session.post(self.url + path, json=sent, headers=headers) as answer:
            return answer.status, await answer.json()

    async def told(self, kind: str, holds: Any = bool) -> Any:
        """The first thing of this kind that the page is told and of which `holds` is true."""
        async with self._session.get(self.url + "live") as answer:
            assert answer.content_type == "text/event-stream"
            async with asyncio.timeout(20):
                while True:
                    message = (await answer.content.readuntil(b"\n\n")).decode()
                    name, _, data = message.partition("\n")
                    if name == f"event: {kind}" and holds(found := json.loads(data.removeprefix("data: "))):
                        return found


@pytest.fixture
def there(tmp_path: Path) -> There:
    return There(tmp_path)


@asynccontextmanager
async def looking(there: There) -> AsyncIterator[tuple[Process, Visitor]]:
    async with there.process() as kim, ClientSession() as session:
        opened = await within(kim.ask("POST", "/v1/page", by="kim@laptop"))
        yield kim, Visitor(session, opened["url"])


async def test_nothing_answers_without_the_token(there: There) -> None:
    """Neither a file nor data nor an order; what is said of a wrong token is what is said of no page."""
    async with looking(there) as (_, visitor):
        begin, token = visitor.url.split("/page/")
        for guess in ("", "/page/", f"/page/{token[:-2]}/", f"/page/{token[:-2]}x/", "/page/%00/", "/page/%ff%fe/"):
            for path in READ:
                visitor.url = begin + guess
                answer = await visitor.get(f"{'' if guess else '/'}{path}")
                assert answer.status == 404, (guess, path)
        visitor.url = f"{begin}/page/{'x' * len(token)}/"
        for path in ORDERED:
            with pytest.raises(Exception, match="404"):
                (await visitor._session.post(visitor.url + path, json={})).raise_for_status()


async def test_a_page_that_was_not_opened_lets_nobody_in(there: There) -> None:
    """An empty token is no token."""
    async with there.process() as kim:
        for path in ("/page//", "/page/x/", "/page/%20/live"):
            with pytest.raises(Exception, match=r"404.*text/plain"):
                await within(kim.ask("GET", path))


@pytest.mark.parametrize("path", [*READ[:3], READ[4]])
async def test_every_answer_forbids_what_the_page_does_not_need(there: There, path: str) -> None:
    """No script but ours, no frame around it, no referrer, for the path is the key."""
    async with looking(there) as (kim, visitor):
        await kim.deploy("v1")
        answer = await visitor.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cache-Control"] == "no-store"


def test_no_line_of_the_page_reads_text_as_html() -> None:
    """What apps write reaches it as text; nothing comes from elsewhere; files stay short."""
    files = {path.name: path.read_text() for path in STATIC.iterdir()}
    assert {"page.html", "page.css", "page.js", "icon.svg"} <= files.keys()
    for name, text in files.items():
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(|new Function|srcdoc", text
        ), name
        assert set(re.findall(r"https?://[^\s\"']+", text)) <= {"http://www.w3.org/2000/svg"}, name
        assert not re.search(r"<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=\"", text), name  # the policy would refuse it
        assert len(text.splitlines()) < 350, name


async def test_the_page_is_told_what_status_says(there: There) -> None:
    """The same shape, and how the last rollout ended in words."""
    async with looking(there) as (kim, visitor):
        begun = await kim.deploy("v1")
        await kim.over(begun["id"])
        found = await visitor.told("status", lambda found: not found["services"][0]["rollout"])
        known = (await within(kim.ask("GET", "/v1/status")))["services"][0]
        (one,) = found["services"]
        assert one.keys() == known.keys()
        assert (one["release"], one["version"], one["last"]["rollout"]["id"]) == (1, "v1", begun["id"])
        assert found["outcomes"][f"{HOME}/web"][0].startswith(f"{HOME}/web runs release 1 (v1)")


async def test_what_happens_is_told_while_it_happens(there: There) -> None:
    """In the sentences of `crossfade events`, those from before first."""
    async with looking(there) as (kim, visitor):
        await kim.over((await kim.deploy("v1"))["id"])
        watched = asyncio.create_task(
            visitor.told("story", lambda lines: any("rollout 2 from 1 (v1)" in one["line"] for one in lines))
        )
        await visitor.told("story", lambda lines: any("rollout succeeded" in one["line"] for one in lines))
        await kim.deploy("v2")
        lines = await within(watched)
        assert {one["service"] for one in lines} == {f"{HOME}/web"}
        assert [one["number"] for one in lines] == sorted({one["number"] for one in lines})


async def test_who_does_not_look_costs_nothing(there: There, tmp_path: Path) -> None:
    """Ten pages are one look, and when the last one is closed there is none."""
    async with there.process():
        pulse = PagePulse(Asking(tmp_path / "1"))
        assert not pulse._tasks
        pages = [pulse.follow() for _ in range(10)]
        first = await within(asyncio.gather(*(anext(page) for page in pages)))
        assert len(set(first)) == 1
        for page in pages[1:]:
            await page.aclose()
        assert pulse._tasks
        await pages[0].aclose()
        assert not pulse._tasks


async def test_a_page_whose_controller_is_gone_is_told_so(tmp_path: Path) -> None:
    """It shows that nothing is known, and goes on looking."""
    page = PagePulse(Asking(tmp_path / "nobody")).follow()
    assert b"the controller does not answer" in await within(anext(page))
    await page.aclose()


async def test_an_order_is_on_record_with_who_opened_the_page(there: There) -> None:
    """A bake is cut short by a promotion on the page."""
    async with looking(there) as (kim, visitor):
        await kim.over((await kim.deploy("v1"))["id"])
        begun = await kim.deploy("v2", BAKED)
        seen = await visitor.told("status", lambda found: _bakes(found["services"][0]))
        step = seen["services"][0]["rollout"]["step"]
        status, answer = await visitor.order("order/promote", rollout=begun["id"], step=step)
        assert status == 200, answer
        assert (await kim.over(begun["id"]))["state"] == "succeeded"
        (event,) = await _written(kim, "rollout promoted")
        assert event.data["by"] == "kim@laptop on the page"


async def test_an_order_to_what_its_giver_did_not_see_is_refused(there: There) -> None:
    """The rollout went on or is another one: what was confirmed is not what would happen."""
    async with looking(there) as (kim, visitor):
        begun = await kim.deploy("v1", BAKED)
        await visitor.told("status", lambda found: _bakes(found["services"][0]))
        for path, body in (
            ("order/promote", {"rollout": begun["id"], "step": 99}),
            ("order/promote", {"rollout": begun["id"] + 1, "step": 1}),
            ("order/abort", {"rollout": begun["id"] + 1, "step": 1}),
            ("rollback", {"from": 7, "to": 1}),
        ):
            status, answer = await visitor.order(path, **body)
            assert (status, answer["error"]["exit_code"]) == (409, 3), (path, answer)
            assert "since you looked: nothing was done" in answer["error"]["cause"]
        assert not await _written(kim, "rollout promoted")
        assert not await _written(kim, "rollout aborted")


async def test_a_good_release_is_gone_back_to(there: There) -> None:
    """By its number, as the ledger on the page shows it with its proof."""
    async with looking(there) as (kim, visitor):
        for version in ("v1", "v2"):
            await kim.over((await kim.deploy(version))["id"])
        ledger = await (await visitor.get(f"ledger?app={HOME}&service=web")).json()
        assert [one["number"] for one in ledger["releases"]] == [2, 1]
        assert [one["rollout"]["id"] for one in ledger["rollouts"]] == [2, 1]
        assert ledger["rollouts"][0]["told"][0].startswith(f"{HOME}/web runs release 2 (v2)")
        status, answer = await visitor.order("rollback", **{"from": 2, "to": 1})
        assert status == 200, answer
        assert (await kim.over(answer["id"]))["state"] == "succeeded"
        assert (await kim.status())["release"] == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ],
)
async def test_another_pages_order_is_refused(there: There, headers: Json) -> None:
    """Also of who was told the address: a browser says where an order comes from."""
    async with looking(there) as (kim, visitor):
        begun = await kim.deploy("v1", BAKED)
        status, answer = await visitor.order("order/abort", headers, rollout=begun["id"], step=1)
        assert status in {400, 409}, answer
        assert not await _written(kim, "rollout aborted")


@pytest.mark.parametrize(
    ("path", "body", "cause"),
    [
        ("order/down", {}, "'down' is not an order of the page"),
        ("order/promote", {}, "the request lacks"),
        ("order/promote", {"app": "../x", "rollout": 1, "step": 1}, "app: found"),
        ("order/promote", {"service": "nobody", "rollout": 1, "step": 1}, "nobody does not run here"),
        ("rollback", {"from": 1, "to": "latest"}, "to: found"),
    ],
)
async def test_a_wrong_order_gets_one_sentence(there: There, path: str, body: Json, cause: str) -> None:
    """And nothing is done."""
    async with looking(there) as (kim, visitor):
        await kim.over((await kim.deploy("v1"))["id"])
        status, answer = await visitor.order(path, **body)
        assert status in {400, 409}
        assert cause in answer["error"]["cause"]


async def test_no_browser_reaches_the_api_beside_the_page(there: There, tmp_path: Path) -> None:
    """Who forwards the socket to a port opens it to every page of their browser."""
    async with there.process(), ClientSession(connector=UnixConnector(str(tmp_path / "1"))) as session:
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "none"}):
            for method, path in (("GET", "/v1/status"), ("POST", "/v1/down")):
                async with session.request(method, f"http://x{path}", headers=headers, json={}) as answer:
                    assert answer.status == 403
                    assert "browsers are not answered here" in (await answer.json())["error"]["cause"]


async def test_the_next_controller_opens_the_same_page(tmp_path: Path) -> None:
    """A page that is left open goes on; its key is written for its owner alone."""
    record = tmp_path / "page.json"
    record.write_text(json.dumps({"port": free_port(), "token": "secret", "by": "kim"}))
    door = PagePort(tmp_path / "socket", record)
    await door.reopen()
    async with ClientSession() as session:
        url = f"http://127.0.0.1:{json.loads(record.read_text())['port']}/page/secret/"
        assert (await within(session.get(url))).status == 200
        await door.close()
        with pytest.raises(OSError, match="Cannot connect"):
            await session.get(url)


@pytest.mark.parametrize(
    "content", ["", "{}", '{"port": "x", "token": 1, "by": 2}', '{"port": 99999999, "token": "a", "by": "b"}']
)
async def test_a_damaged_record_of_the_page_stops_no_controller(tmp_path: Path, content: str) -> None:
    """The page is only looked at; what serves does not depend on it."""
    record = tmp_path / "page.json"
    record.write_text(content)
    door = PagePort(tmp_path / "socket", record)
    await door.reopen()
    assert not door.token
    await door.close()


async def test_a_port_that_somebody_has_is_said(there: There) -> None:
    """With the way out, and the page is not half open."""
    async with looking(there) as (_, visitor), there.process() as ben:
        taken = int(visitor.url.split(":")[2].split("/")[0])
        error = (await within(ben.ask("POST", "/v1/page", by="ben", port=taken)))["error"]
        assert f"cannot listen at 127.0.0.1:{taken}" in error["cause"]
        assert "--port" in error["way_out"]
        assert (await within(ben.ask("POST", "/v1/page", by="ben")))["port"] != taken


async def test_a_closed_page_lets_nobody_in_and_its_address_is_worth_nothing(there: There) -> None:
    """Opened again it has another key."""
    async with looking(there) as (kim, visitor):
        port = int(visitor.url.split(":")[2].split("/")[0])
        assert await within(kim.ask("POST", "/v1/page/close")) == {"closed": True}
        assert await within(kim.ask("POST", "/v1/page/close")) == {"closed": False}
        again = await within(kim.ask("POST", "/v1/page", by="kim", port=port))
        assert again["port"] == port
        assert again["url"] != visitor.url
        assert (await visitor.get("")).status == 404


def _bakes(service: Json) -> bool:
    rollout = service["rollout"]
    return bool(rollout) and any("baking" in why for why in rollout["waiting_for"])


async def _written(process: Process, kind: str) -> list[Event]:
    return [event for event in await process.journal.read() if event.kind == kind]
