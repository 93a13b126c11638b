"""What the pages name exists: links, verbs and options, keys of the file, tests, variables, numbers."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest
from tests.docs.pages import ROOT, Block, Page, blocks, pages
from tests.docs.shell import commands

from crossfade.aws.cost.check.table import read_table
from crossfade.aws.cost.prices.book import own
from crossfade.aws.cost.savings.assumed import read_assumptions
from crossfade.cli.main import crossfade
from crossfade.core.service import Strategy
from crossfade.file.load import load
from crossfade.file.loadtest.load import load as load_test
from crossfade.strategies.phases import bounds

_SERVICE = "app: page\nservices:\n  web:\n    source: .\n    command: serve\n"


@pytest.mark.parametrize("page", pages(), ids=str)
def test_links_lead_somewhere(page: Page) -> None:
    """Every relative link leads to a file, and its anchor to a heading."""
    for link in page.links():
        if re.match(r"https?:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.path.parent / path).resolve() if path else page.path
        assert target.exists(), f"{page}: {link}"
        assert not anchor or anchor in Page(target).anchors(), f"{page}: {link} names no heading"


@pytest.mark.parametrize("page", pages(), ids=str)
def test_commands_exist_with_their_options(page: Page) -> None:
    """Every `crossfade ...` on a page is one that the command line understands."""
    for where, words in _called(page):
        verb = crossfade.get_command(click.Context(crossfade), words[0])
        assert verb is not None, f"{where}: crossfade has no verb {words[0]}"
        try:
            verb.make_context(words[0], words[1:])
        except click.MissingParameter:
            assert len(words) == 1, f"{where}: {' '.join(words)}"
        except click.UsageError as error:
            pytest.fail(f"{where}: crossfade {' '.join(words)}: {error.format_message()}")


def _called(page: Page) -> Iterator[tuple[str, list[str]]]:
    """(where, words after `crossfade`) of all that is typed or named."""
    lines = [(f"{page}:{line}", span) for line, span in page.spans()]
    for block in page.blocks():
        if block.language == "console":
            lines += [(str(block), command.text) for command in commands(block.text)]
        if block.language in {"sh", "bash"}:
            lines += [(str(block), line) for line in block.text.splitlines()]
    for where, line in lines:
        for part in re.findall(r"(?:^|[;&(] ?)crossfade ([^;|&<>]+)", line):
            words = shlex.split(part, comments=True)
            if words and "..." not in words and re.fullmatch("[a-z]+", words[0]):
                yield where, words


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_every_yaml_block_loads(block: Block, tmp_path: Path) -> None:
    """Every YAML block is a file that loads, a table of costs, assumptions or prices, a load test, or a part of one."""
    file = tmp_path / "crossfade.yaml"
    if "\njourneys:" in block.text:
        file.write_text(block.text)
        load_test(file, str(file))
        return
    for begins, read in (("region:", read_table), ("rates:", read_assumptions), ("name:", own)):
        if block.text.startswith(begins):
            file.write_text(block.text)
            read(file)
            return
    whole = block.text.startswith("app:")
    file.write_text(block.text if whole else _SERVICE + "".join(f"    {line}\n" for line in block.text.splitlines()))
    load(file)


@pytest.mark.parametrize("page", pages(), ids=str)
def test_named_tests_exist(page: Page) -> None:
    """A test that a page names is there."""
    for _, span in page.spans():
        if re.fullmatch(r"test_\w+", span):
            assert span in _tests(), f"{page}: {span}"


@cache
def _tests() -> frozenset[str]:
    """The names of all tests: read once, for ninety pages name some; not of what `make checkov` installs."""
    found = (path for path in (ROOT / "tests").rglob("test_*.py") if ".venv" not in path.parts)
    files = (path.read_text() for path in found)
    return frozenset(name for text in files for name in re.findall(r"def (test_\w+)\(", text))


def test_make_targets_exist() -> None:
    """What a page says `make` can do, it can."""
    targets = set(
        re.findall(r"^([\w$()/.-]+):", (ROOT / "Makefile").read_text().replace("$(VENV)", ".venv"), re.MULTILINE)
    )
    for page in pages():
        named = [span for _, span in page.spans()] + [line for b in page.blocks() for line in b.text.splitlines()]
        for text in named:
            if found := re.match(r"(?:\$ )?make ([\w./-]+)", text):
                assert found[1] in targets, f"{page}: {text}"


def test_every_variable_is_told() -> None:
    """The operations page names all CROSSFADE_ variables that the source knows, and no others."""
    pattern = re.compile(r"(?<!_)CROSSFADE_[A-Z]+")
    known = {name for path in (ROOT / "src").rglob("*.py") for name in pattern.findall(path.read_text())}
    told = set(pattern.findall((ROOT / "docs" / "operations.md").read_text()))
    assert told == known


def test_bounds_are_as_the_page_has_them() -> None:
    """The worked numbers of the strategies page are those that the code works out."""
    rows = re.findall(
        r"^\| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$",
        (ROOT / "docs" / "strategies.md").read_text(),
        re.MULTILINE,
    )
    assert len(rows) > 3
    for row in rows:
        replicas, least, surge, floor, ceiling = map(int, row)
        found = bounds(Strategy(name="rolling", min_healthy=least, max_surge=surge), replicas)
        assert (found.floor, found.ceiling) == (floor, ceiling), row
