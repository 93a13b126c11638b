"""The pages with commands, typed by a machine."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.docs.pages import ROOT, Page, blocks
from tests.docs.shell import Shell, commands
from tests.support.ports import free_port
from tests.support.sshd import why_not

from crossfade.demo.record import step, summary

TUTORIAL, STRATEGIES, OPERATIONS, COST = (
    Page(ROOT / "docs" / f"{name}.md") for name in ("tutorial", "strategies", "operations", "cost")
)


@pytest.fixture
def shell() -> Iterator[Shell]:
    shell = Shell(free_port())
    yield shell
    shell.close()


def typed(shell: Shell, page: Page) -> None:
    """Do what a reader does: write the files, type the commands, compare what comes."""
    for block in page.blocks():
        if block.file:
            shell.write(block.file, block.text)
        elif block.language == "console":
            for command in commands(block.text):
                shell.run(command.text, command.shown)
        elif block.language == "sh":
            shell.run(block.text)


@pytest.mark.parametrize(
    "page", [*(pytest.param(page, marks=pytest.mark.long) for page in (TUTORIAL, STRATEGIES)), COST], ids=str
)
def test_a_page_works_as_it_is_written(shell: Shell, page: Page) -> None:
    """Every command of the page runs and prints what the page shows, and nothing is left at the end."""
    typed(shell, page)
    assert not shell.left()


@pytest.mark.long
def test_operations_work_as_they_are_written(shell: Shell) -> None:
    """The commands of the operations page run on the tutorial's app, and JSON has the keys that the page shows."""
    for block in TUTORIAL.blocks():
        if block.file:
            shell.write(block.file, block.text)
    shell.run("crossfade deploy --version v1")
    deployed = shell.run("crossfade deploy --version v2 --force --json")
    typed(shell, OPERATIONS)
    shown = {block.before: json.loads(block.text) for block in blocks("json") if block.page == OPERATIONS}
    printed = {
        "crossfade deploy": deployed,
        "crossfade status": shell.run("crossfade status --json"),
        "crossfade releases": shell.run("crossfade releases --json"),
        "error": shell.run("crossfade logs nobody --json 2>/dev/null || true"),
        "crossfade demo": json.dumps(_demo(json.loads(deployed.splitlines()[-1]))),
    }
    assert len(shown) == len(printed)
    for what, text in printed.items():
        (page_has,) = (value for before, value in shown.items() if what in before.splitlines()[-1])
        assert not list(_different(page_has, json.loads(text.splitlines()[-1]), what))


def _demo(result: dict[str, Any]) -> dict[str, Any]:
    """What the demo would print of one step: it is played elsewhere, in tests/e2e."""
    return summary([step("v2", "succeeded", result, 1.0, None, bad_release=False)])


def _different(shown: Any, real: Any, where: str) -> Iterator[str]:
    """Keys that only one of them has; what the page leaves empty or null may be anything."""
    if isinstance(shown, list) and shown and isinstance(real, list) and real:
        yield from _different(shown[0], real[0], f"{where}[]")
    if isinstance(shown, dict) and shown and isinstance(real, dict):
        yield from (f"{where}: {key} is on one side only" for key in shown.keys() ^ real.keys())
        for key in shown.keys() & real.keys():
            yield from _different(shown[key], real[key], f"{where}.{key}")


@pytest.mark.long
@pytest.mark.skipif(bool(why_not()), reason=why_not() or "hosts")
def test_the_example_of_hosts_works_as_it_is_written() -> None:
    """Two servers on this machine, releases over both, and nothing left of either."""
    shell = Shell(free_port(), env={"SSH_PORT": str(free_port())})
    try:
        for name in ("crossfade.yaml", "two-hosts", "site/app.py"):
            (shell.folder / name).parent.mkdir(exist_ok=True)
            shell.write(name, (ROOT / "examples/hosts" / name).read_text())
        (shell.folder / "two-hosts").chmod(0o755)
        typed(shell, Page(ROOT / "examples/hosts/README.md"))
        assert not (shell.folder / ".hosts").exists()
        assert not shell.left()
    finally:
        if (shell.folder / ".hosts").exists():  # a step failed; sshd has no trace by which it would be found
            shell.run("./two-hosts down || true")
        shell.close()
