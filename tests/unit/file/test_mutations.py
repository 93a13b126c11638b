"""Whatever stands in the file, it is an application or one clear refusal."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.file.files import FOREIGN, FULL

from crossfade.core.errors import WrongInputError
from crossfade.file.load import load
from crossfade.file.model import App

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(
        [
            "",
            " ",
            "1%",
            "0",
            "-1",
            "1h",
            "*",
            "/",
            "/*",
            "a b",
            "web",
            "canary",
            "x" * 500,
            "1e999",
            "é",
            "\x00",
            "[",
            "{}",
        ]
    )
    | st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
KEYS = st.sampled_from(
    ["services", "web", "health", "deploy", "steps", "env", "routes", "listen", "tls", "environments", "<<", "", "x"]
)
TREE = yaml.safe_load(FULL)
DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # as the product reads; Python's own takes far longer
FAST = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mutations") / "crossfade.yaml"


def loads_or_refuses(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        app = load(path)
    except WrongInputError as error:
        said = str(error)
        assert not [words for words in FOREIGN if words in said]
    else:
        assert App.model_validate_json(app.model_dump_json()) == app


def places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything in nested data."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(place for key, item in items for place in places(item, (*here, key)))]


@FAST
@given(data=st.data())
def test_a_file_with_any_value_anywhere_loads_or_is_refused(path: Path, data: st.DataObject) -> None:
    """Something else where a value stood, and a key more, never leads to anything but an app or a refusal."""
    tree = deepcopy(TREE)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from([place for place in places(tree) if place]))
        parent = tree
        for key in place[:-1]:
            parent = parent[key]
        parent[place[-1]] = data.draw(VALUES)
        if isinstance(parent, dict):
            parent[data.draw(KEYS)] = data.draw(VALUES)
    loads_or_refuses(path, yaml.dump(tree, Dumper=DUMPER, allow_unicode=True))


@FAST
@given(data=st.data())
def test_a_file_with_any_damage_loads_or_is_refused(path: Path, data: st.DataObject) -> None:
    """Characters cut out and pasted in, lines moved: what an editor, a merge or a cat on the keyboard does."""
    text = FULL
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 30)))
        pasted = data.draw(
            st.text(max_size=5)
            | st.sampled_from(["\t", "- ", ": ", "{", "[", "&a ", "*a", "!!x ", "---\n", "'", '"', "\n", "  ", "<<: "])
        )
        text = text[:start] + pasted + text[end:]
    loads_or_refuses(path, text)


@FAST
@given(raw=st.binary(max_size=200))
def test_any_bytes_load_or_are_refused(path: Path, raw: bytes) -> None:
    """A picture given as the file is a wrong file, not a crash."""
    path.write_bytes(raw)
    with pytest.raises(WrongInputError):
        load(path)
