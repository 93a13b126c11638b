"""YAML files beside crossfade.yaml are read as strictly, and refused in the same words."""

from pathlib import Path

import pytest
from pydantic import Field

from crossfade.core.errors import WrongInputError
from crossfade.file.part import Part
from crossfade.file.reading.problem import WrongFileError
from crossfade.file.reading.sheet import read_sheet


class Crate(Part):
    """What is in it."""

    apples: str = Field(description="How many.", examples=["4.00"])
    label: str = Field(default="", description="What it says.", examples=["sweet"])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "crate.yaml"


def test_what_shall_be_text_comes_as_it_was_typed(file: Path) -> None:
    """4.00 is not 4.0, where that matters."""
    file.write_text("apples: 4.00\n")
    assert read_sheet(Crate, file, lambda keys: keys == ("apples",)).apples == "4.00"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("label: sweet", "crate.yaml:1:1: no apples; allowed: apples: 4.00"),
        ("apples: '1'\nlable: sweet", 'crate.yaml:2:1: lable: unknown key "lable"; did you mean label?'),
        # Keys that crossfade.yaml has mean nothing here, and nobody is sent there.
        ("apples: '1'\nenvironments: {}", 'unknown key "environments"; allowed: one of apples, label'),
        ("apples: '1'\nretain: 3", 'unknown key "retain"; allowed: one of apples, label'),
        ("apples: [1]", "crate.yaml:1:1: apples: found a list; allowed: text"),
        ("- 1", "crate.yaml:1:1"),
        ("apples: {", "a bracket that is not closed"),
    ],
)
def test_mistakes_are_named_at_their_place(file: Path, text: str, cause: str) -> None:
    """File, line, key, what was found and what is allowed."""
    file.write_text(text)
    with pytest.raises(WrongFileError) as error:
        read_sheet(Crate, file)
    assert cause in error.value.cause


def test_a_file_that_is_not_there(file: Path) -> None:
    """It is named."""
    with pytest.raises(WrongInputError, match=r"crate\.yaml"):
        read_sheet(Crate, file)
