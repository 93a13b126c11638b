"""The page about AWS, typed by a machine: without Terraform as far as that goes, with it to an AWS on this machine."""

import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType

import pytest
from tests.docs.pages import ROOT, Page
from tests.docs.shell import Shell, commands
from tests.infra.cloud import ministack
from tests.support.ports import free_port
from tests.support.terraform import find_terraform

PAGE = Page(ROOT / "docs" / "aws.md")
MAKES = PAGE.text[: PAGE.text.index("\n## Make it\n")].count("\n")  # from here on Terraform is needed
NONE: MappingProxyType[str, str] = MappingProxyType({})


@pytest.fixture
def clone() -> Iterator[Callable[..., Shell]]:
    """A shell in examples/codemate, with as much of a clone around it as the page names."""
    shells: list[Shell] = []

    def opened(env: MappingProxyType[str, str] | dict[str, str] = NONE) -> Shell:
        shell = Shell(free_port(), folder="examples/codemate", env=env, limit=900)
        shells.append(shell)
        for file in ("crossfade.yaml", "prices.yaml"):
            shutil.copy(ROOT / "examples" / "codemate" / file, shell.folder)
        (shell.home / "tests").symlink_to(ROOT / "tests")
        return shell

    yield opened
    for shell in shells:
        shell.close()


def typed(shell: Shell, *, made: bool) -> None:
    """The commands before the heading, or those after it."""
    for block in PAGE.blocks():
        if block.language == "console" and (block.line > MAKES) == made:
            for command in commands(block.text):
                shell.run(command.text, command.shown)


@pytest.mark.long
def test_the_page_works_without_terraform(clone: Callable[..., Shell]) -> None:
    """Picture, bill, findings and Terraform's files come from the file alone."""
    shell = clone()
    typed(shell, made=False)
    assert (shell.folder / "codemate.svg").read_text() == (ROOT / "docs" / "images" / "codemate.svg").read_text()
    assert (shell.folder / "infrastructure" / "environments" / "dev" / "main.tf").exists()


@pytest.mark.slow
@pytest.mark.applies
def test_the_page_makes_an_environment(clone: Callable[..., Shell], tmp_path: Path) -> None:
    """A plan that Terraform accepts, and an environment that stands on MiniStack; skips where one is missing."""
    terraform = find_terraform(tmp_path).variables

    def made(attempt: str) -> None:
        (home := tmp_path / attempt).mkdir()
        with ministack(home) as aws:
            shell = clone(aws | terraform)
            shell.run("crossfade infra init")
            typed(shell, made=True)

    try:
        made("first")
    except AssertionError as error:
        if "is locked by" not in str(error):
            raise
        warnings.warn(f"MiniStack, a lock of its own: {error}", stacklevel=1)  # see tests/infra/test_ministack.py
        made("second")
