"""Files of variables, as Compose reads them."""

from pathlib import Path

import pytest

from crossfade.core.errors import WrongInputError
from crossfade.file.reading.dotenv import parse_variables, read_variables


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A=1\n\n# comment\nexport B=2\n", {"A": "1", "B": "2"}),
        ("A = spaced \nB: yaml", {"A": "spaced", "B": "yaml"}),
        ("A=x # behind\nB=x#y\nC=# all", {"A": "x", "B": "x#y", "C": ""}),
        ('A=\'$B # x\'\nB="two\\nlines \\"q\\""', {"A": "$B # x", "B": 'two\nlines "q"'}),
        ('KEY="-----BEGIN\nabc\n-----END"\nNEXT=1', {"KEY": "-----BEGIN\nabc\n-----END", "NEXT": "1"}),
        ("A=1\nB=${A}2\nC=${NONE:-d}", {"A": "1", "B": "12", "C": "d"}),
        ("FROM_SHELL\nNOWHERE\n", {"FROM_SHELL": "here"}),
        ("A=\r\nB=2\r\n", {"A": "", "B": "2"}),
        ("URL=postgres://a:b@c/d?e=f", {"URL": "postgres://a:b@c/d?e=f"}),
        ("A=it's", {"A": "it's"}),
    ],
)
def test_a_line_is_a_variable(text: str, found: dict[str, str]) -> None:
    """Quotes, comments, values over several lines, names from the shell."""
    assert parse_variables(text, ".env", {"FROM_SHELL": "here"}) == found


def test_the_shell_wins_in_values(tmp_path: Path) -> None:
    """As in Compose: TAG=9 docker compose up."""
    assert parse_variables("TAG=1\nIMAGE=x:${TAG}", ".env", {"TAG": "9"}) == {"TAG": "1", "IMAGE": "x:9"}


def test_a_wrong_line_is_named_and_not_shown() -> None:
    """It may be half of a secret."""
    with pytest.raises(
        WrongInputError, match=r"\.env:2:1: a line that is not a variable; allowed: NAME=value"
    ) as error:
        parse_variables("A=1\n=geheim\n", ".env", {})
    assert "geheim" not in str(error.value)


def test_a_wrong_brace_is_named_by_its_variable() -> None:
    """With the line."""
    with pytest.raises(WrongInputError, match=r"\.env:1:1: the value of A"):
        parse_variables("A=${", ".env", {})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """As it was given."""
    with pytest.raises(WrongInputError, match=r"there is no file x/\.env"):
        read_variables(tmp_path / ".env", "x/.env", {})
