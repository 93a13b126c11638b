"""`crossfade diagram` as it is typed."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crossfade.cli.aws.diagram import diagram
from crossfade.core.errors import RefusedError, WrongInputError

ROOT = Path(__file__).parents[3]
FILE = ROOT / "examples" / "codemate" / "crossfade.yaml"
LOCAL = "app: shop\nservices: {web: {image: x}}\n"
SEVERAL = """\
app: shop
services: {web: {image: x, resources: {cpu: 0.5, memory: 1G}}}
environments: {one: {platform: aws}, other: {platform: aws}}
"""


def typed(*words: str) -> Result:
    return CliRunner().invoke(diagram, [str(word) for word in words], standalone_mode=True)


def test_production_is_drawn_when_nothing_is_said() -> None:
    """Of several environments on AWS it is the one that visitors use."""
    assert 'title: "codemate, prod"' in typed("-f", str(FILE)).output


def test_the_ending_of_the_file_says_what_is_written(tmp_path: Path) -> None:
    """SVG for .svg, Mermaid for all others."""
    assert typed("-f", str(FILE), "-o", str(tmp_path / "a.svg")).exit_code == 0
    assert typed("-f", str(FILE), "-e", "dev", "-o", str(tmp_path / "a.md")).exit_code == 0
    assert (tmp_path / "a.svg").read_text().startswith("<svg ")
    assert "codemate, dev" in (tmp_path / "a.md").read_text()


def test_json_carries_the_text_or_the_file(tmp_path: Path) -> None:
    """One object on one line."""
    printed = json.loads(typed("-f", str(FILE), "--format", "svg", "--json").output)
    assert (printed["environment"], printed["format"], printed["text"][:5]) == ("prod", "svg", "<svg ")
    path = tmp_path / "b.svg"
    assert json.loads(typed("-f", str(FILE), "-o", str(path), "--json").output)["file"] == str(path)


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        (LOCAL, [], "has no environment on AWS"),
        (LOCAL, ["-e", "local"], "local is not on AWS"),
        (SEVERAL, [], "several environments on AWS: one, other"),
        (SEVERAL, ["-e", "othr"], "did you mean other"),
    ],
)
def test_what_cannot_be_drawn_is_said(tmp_path: Path, text: str, words: list[str], said: str) -> None:
    """With the way out."""
    path = tmp_path / "crossfade.yaml"
    path.write_text(text)
    result = typed("-f", str(path), *words)
    assert isinstance(result.exception, WrongInputError)
    assert said in str(result.exception)


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """No traceback for a folder that is not there."""
    result = typed("-f", str(FILE), "-o", str(tmp_path / "nowhere" / "a.svg"))
    assert isinstance(result.exception, RefusedError)
    assert "No such file or directory" in str(result.exception)
