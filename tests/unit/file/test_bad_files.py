"""Bad files: each mistake is named at its line, with its key, what was found and what is allowed."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from tests.unit.file.files import FOREIGN, SMALL

from crossfade.core.errors import WrongInputError
from crossfade.file.load import load
from crossfade.file.reading.problem import WrongFileError

# One mistake a case: a title, the file, and what is said about it (`...` stands for the rest of a
# long list). Those that a JSON Schema cannot tell end in (needs check).
TEXT = (Path(__file__).parent / "bad_files.txt").read_text()
CASES = re.findall(r"^### (.*)\n((?:.*\n)*?)=> (.*)$", TEXT, re.MULTILINE)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "crossfade.yaml"


def wrong(path: Path, text: str) -> WrongFileError:
    path.write_text(text)
    with pytest.raises(WrongFileError) as caught:
        load(path)
    return caught.value


@pytest.mark.parametrize(("text", "said"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_mistake_is_named_where_it_stands(path: Path, text: str, said: str) -> None:
    """File, line and column, key path, what was found, what is allowed; and nothing in the words of a library."""
    error = wrong(path, text)
    assert len(error.problems) == 1
    assert str(error).startswith(f"{path}:{said.removesuffix('...')}")
    assert "; allowed: " in str(error)
    assert not [words for words in FOREIGN if words in str(error)]
    assert error.exit_code == 2


def test_there_are_enough_bad_files() -> None:
    """The cases are read from a text file: an empty one must not pass."""
    assert len(CASES) > 90
    assert sum("cloud" in said or "AWS" in said for _, _, said in CASES) > 50


def test_all_mistakes_are_named_at_once_in_the_order_of_lines(path: Path) -> None:
    """One round is enough to put them right."""
    text = f"""{SMALL}\
    replicas: two
    health: {{healthy: 0, timeout: 1h}}
    deploy: {{strategy: canary, steps: [9]}}
listen: 0
"""
    error = wrong(path, text)
    assert [(problem.place.line, ".".join(map(str, problem.place.keys))) for problem in error.problems] == [
        (6, "services.web.replicas"),
        (7, "services.web.health.healthy"),
        (8, "services.web.deploy.steps"),
        (9, "listen"),
    ]
    assert str(error).startswith(f"{path} has 4 problems:\n  {path}:6:5: services.web.replicas: ")


def test_a_mistake_of_the_file_is_named_once_for_all_its_environments(path: Path) -> None:
    """Two environments do not make two mistakes of it."""
    assert len(wrong(path, f"{SMALL}    replicas: two\nenvironments: {{prod: {{}}, test: {{}}}}\n").problems) == 1


def test_the_value_of_a_secret_is_never_shown(path: Path) -> None:
    """NAME=value under secrets is a mistake, but not one to print."""
    assert "geheim" not in str(wrong(path, f"{SMALL}    secrets: ['A=geheim']\n"))


def test_text_that_is_not_utf8_is_named_by_its_byte(path: Path) -> None:
    """An editor in the wrong encoding is found by line and column."""
    path.write_bytes(b"app: shop\n# caf\xe9\n")
    with pytest.raises(WrongInputError, match=r"crossfade.yaml:2:6: the byte 0xe9; allowed: text in UTF-8"):
        load(path)


def doubling_aliases() -> str:
    """Ten aliases of ten aliases, nine levels deep: a billion values in ten lines."""
    levels = [f"{after}: &{after} [{', '.join([f'*{before}'] * 10)}]" for before, after in pairwise("abcdefghi")]
    return "\n".join(["a: &a [x]", *levels])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[" * 200_000, "more than 40 levels"),
        ("{a: " * 500, "more than 40 levels"),
        (doubling_aliases(), "more than 50000 values"),
        ("a: &a [*a]\n", "*a, which is not defined above"),
        ("x" * (2 << 20), "has 2097152 bytes; 1048576 are allowed"),
        ("a: \x07\n", "a control character"),
    ],
    ids=["brackets", "braces", "billion laughs", "an alias of itself", "a huge file", "a bell"],
)
def test_a_file_made_to_hurt_is_only_wrong(path: Path, text: str, found: str) -> None:
    """Neither the interpreter nor the memory suffers."""
    path.write_text(text)
    with pytest.raises(WrongInputError) as caught:
        load(path)
    assert found in str(caught.value)


@pytest.mark.parametrize(
    "key",
    [
        "env_file: {}",
        "also: [{}]",
        'volumes: ["./{}:media"]',
        "build: make, cache: [out], built_from: [{}]",
    ],
)
def test_what_is_too_long_for_a_name_is_not_there(path: Path, key: str) -> None:
    """As any other that is not."""
    text = f"app: shop\nservices:\n  web: {{source: ., command: ./run, {key.format('a' * 300)}}}\n"
    (problem,) = wrong(path, text).problems
    assert "which does not exist" in str(problem)
