"""The account of a rollout: what the journal knows, on paper."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.unit.controller.site import within
from tests.unit.controller.there import BAKED, HOME, There

from crossfade.cli.main import crossfade
from crossfade.core.errors import CrossfadeError
from crossfade.telling.account import ReleaseAccount, account, events_of
from crossfade.telling.paper.html import html
from crossfade.telling.paper.markdown import markdown, spoken, text

Json = dict[str, Any]


def counted(requests: int, errors: int = 0, slow: int = 0) -> Json:
    """So many requests, all within 10 ms but `slow` ones, which took up to 1 s."""
    return {
        "requests": requests,
        "errors": errors,
        "retried": 0,
        "latency": [[10.0, requests - slow], [1000.0, requests], [None, requests]],
    }


def event(at: float, kind: str, data: Json, rollout: int = 7) -> Json:
    return {"seq": int(at), "at": at, "service": "shop/web", "rollout": rollout, "kind": kind, "data": data}


def started(at: float = 100.0, rollout: int = 7, **changes: Any) -> Json:
    strategy = {"name": "canary", "steps": [10, 100], "bake": 5.0}
    made = {
        "id": rollout,
        "service": "shop/web",
        "source": 3,
        "target": 4,
        "strategy": strategy,
        "kind": "web",
        "by": "kim@box",
        "baseline": [[3, counted(1000)]],
    }
    return event(at, "rollout started", {"rollout": {**made, **changes}, "versions": {"3": "v3", "4": "v4"}}, rollout)


def routed(at: float, **weights: int) -> Json:
    routing = {"weights": [[int(release[1:]), weight] for release, weight in weights.items()]}
    return event(at, "routed", {"action": {"do": "Shift", "routing": routing}, "ms": 4.0, "draining": {}, "drained": 0})


def moved(at: float, action: Json, counters: Mapping[int, Json]) -> Json:
    return event(at, "move", {"action": action, "counters": [[number, one] for number, one in counters.items()]})


JOURNAL = [
    event(50.0, "move", {"action": {"do": "Finish", "state": "succeeded", "reason": "x"}, "counters": []}, 6),
    started(),
    moved(102.0, {"do": "StartBake", "step": 0}, {3: counted(1100), 4: counted(0)}),
    moved(103.0, {"do": "Advance", "step": 1}, {3: counted(1150), 4: counted(0)}),
    routed(103.5, r3=90, r4=10),
    moved(104.0, {"do": "StartBake", "step": 1}, {3: counted(1200), 4: counted(5)}),
    moved(109.0, {"do": "RollBack", "reason": "too many"}, {3: counted(1650, errors=1), 4: counted(55, 20, slow=10)}),
    routed(109.5, r3=100),
    moved(112.0, {"do": "Finish", "state": "rolled_back", "reason": "too many"}, {3: counted(1950, errors=1)}),
    event(113.0, "record closed", {"rollout": 7, "proof": {}}, 0),
    started(200.0, 8),
]
RESULT = {
    "rollout": {
        "id": 7,
        "service": "shop/web",
        "from": 3,
        "to": 4,
        "from_version": "v3",
        "to_version": "v4",
        "strategy": "canary",
        "state": "rolled_back",
        "reason": "too many",
        "seconds": 12.0,
    },
    "traffic": {
        "requests": 1005,
        "failed": 21,
        "causes": {"500": 21},
        "retried": 0,
        "drained": 2,
        "p50_ms": 1.0,
        "p99_ms": 9.0,
    },
}
RELEASE = {"version": "v4", "outcome": "bad", "why": "too many", "git_sha": "abc1234", "digest": "sha256:feed"}


def told(journal: list[Json] = JOURNAL, result: Json | None = RESULT) -> ReleaseAccount:
    made = account(events_of(journal, 7), result, RELEASE)
    assert made is not None
    return made


def test_the_stretches_add_up_to_what_the_balancer_counted() -> None:
    """Of 950 requests none is left out and none counted twice; what was not read is not 0."""
    stretches = told().stretches
    assert sum(one.counted[3].requests for one in stretches) == 950
    assert sum(one.counted[4].requests for one in stretches if 4 in one.counted) == 55
    assert [one.what for one in stretches] == [
        "getting ready",
        "step 1 watched",
        "going on to step 2",
        "step 2 watched",
        "taking it back",
    ]
    assert [one.shares.get(4, 0) for one in stretches] == [0, 0, 10, 10, 0]
    assert 4 not in stretches[-1].counted


def test_a_balancer_that_began_anew_counts_from_nothing() -> None:
    """Its totals are all new then."""
    journal = [started(), moved(101.0, {"do": "StartBake", "step": 0}, {3: counted(40)})]
    assert told(journal, None).stretches[0].counted[3].requests == 40


def test_only_this_rollout_is_told() -> None:
    """Neither what was before it nor what came after."""
    made = told()
    assert (made.began, made.known_until) == (100.0, 113.0)
    assert list(events_of(JOURNAL, 9)) == []
    assert account([], None, None) is None


def test_markdown_has_who_what_when_why_and_the_proof() -> None:
    """Each in words, and the rates of both releases in each stretch."""
    page = markdown(told())
    for said in (
        "# Rollout 7 of shop/web",
        "Release 4 (v4) was taken back: too many",
        "| by | kim\\@box |",
        "| from | 3 (v3) |",
        "| source | abc1234 |",
        "21 failed (500: 21)",
        "| step 2 watched | 3 (v3) | 90 % | 450 | 1 |",
        "| 4 (v4) | 10 % | 50 | 20 | 6.2 ms | 752.5 ms |",
        "taking it back: too many",
    ):
        assert said in page, said


def test_html_is_one_file_that_asks_for_nothing() -> None:
    """No script, no address, and elements that all end."""
    page = html(told())
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    assert parser.words.count("Rollout 7 of shop/web") == 2  # title and heading
    assert not re.search(r"<script|https?://|@import|url\(|src=|href=", page)
    assert page.count("<svg") == 4


HOSTILE = [
    "<script>alert(1)</script>",
    "](javascript:alert(1))",
    "| a | b |",
    "`x`",
    "\x1b[31mred",
    "a\nb",
    "\u202eevil",
    "![x](http://x)",
]


@pytest.mark.parametrize("words", HOSTILE)
def test_what_others_wrote_is_text_and_nothing_else(words: str) -> None:
    """In both forms, wherever a reason or a name stands."""
    hostile = json.loads(json.dumps(JOURNAL))
    hostile[1]["data"]["rollout"]["by"] = words
    made = replace(told(hostile), versions={3: words, 4: words})
    page = html(made)
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    assert "<script" not in page
    sheet = markdown(made)
    assert {line.count(" | ") for line in sheet.splitlines() if line.startswith("| ")} <= {1, 8}
    assert "](j" not in sheet.replace("\\]", "")
    assert not re.search(r"[\x1b\u202e]", page + sheet)


def test_a_rollout_under_way_says_that_it_is_not_over() -> None:
    """It has no proof yet, and is written all the same."""
    page = markdown(told(JOURNAL[:6], None))
    assert "It is not over" in page
    assert "While it happened" not in page


def test_a_worker_has_no_traffic() -> None:
    """No table of requests is invented for it."""
    journal = [started(kind="worker"), moved(102.0, {"do": "StartBake", "step": 0}, {})]
    made = told(journal, None)
    assert made.stretches == ()
    assert "A worker has no traffic" in markdown(made)
    assert "<svg" not in html(made)


async def test_the_verb_writes_the_newest_rollout_or_the_one_that_is_named(tmp_path: Path) -> None:
    """As JSON, Markdown or one file; a wrong number is one sentence with those that are known."""
    there = There(tmp_path)
    async with there.process() as kim:
        (tmp_path / "api.sock").symlink_to(tmp_path / "1")
        await kim.over((await kim.deploy("v1"))["id"])
        assert "# Rollout 1 of shop@prod/web" in (await _run(tmp_path)).replace("\\", "")
        await kim.deploy("v2", BAKED)
        assert "Rollout 2 of" in await _run(tmp_path)
        assert json.loads(await _run(tmp_path, "web/1", "--json"))["rollout"] == 1
        file = tmp_path / "one.html"
        assert "tells rollout 1" in await _run(tmp_path, "1", "-o", str(file))
        assert file.read_text().startswith("<!doctype html>")
        with pytest.raises(CrossfadeError, match="has no rollout 9"):
            await _run(tmp_path, "9")
        with pytest.raises(CrossfadeError, match="'newest' is not a rollout"):
            await _run(tmp_path, "newest")
        with pytest.raises(CrossfadeError, match="cannot be written"):
            await _run(tmp_path, "1", "-o", str(tmp_path / "no" / "where.md"))


async def _run(state: Path, *words: str) -> str:
    import asyncio

    def run() -> str:
        arguments = ["report", *words, "--state", str(state), "--app", HOME]
        found = CliRunner().invoke(crossfade, arguments, catch_exceptions=True)
        if found.exception:
            raise found.exception
        return found.output

    return str(await within(asyncio.to_thread(run)))


class Balanced(HTMLParser):
    """Elements that are open, and the words."""

    EMPTY = frozenset({"meta", "br", "img", "line", "polyline"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        """It ends where it begins."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.mark.parametrize("said", ["C:\\new\\*", "a \\d+ pattern", "`rm -rf`", "| - |", "\\\\host\\share", "plain"])
def test_what_a_terminal_shows_has_the_words_own_backslashes(said: str) -> None:
    """Only those are gone that keep Markdown from reading a mark."""
    assert spoken(text(said)) == said
