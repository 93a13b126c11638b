"""The JSON Schema agrees with the loader about what people write."""

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from tests.unit.file.files import FULL, ON_HOSTS, ON_SERVERS, SMALL, WORKERS
from tests.unit.file.json_schema import accepts
from tests.unit.file.test_bad_files import CASES

from crossfade.file.load import load
from crossfade.file.model import File
from crossfade.file.part import Part
from crossfade.file.reading.document import parse
from crossfade.file.reading.problem import WrongFileError
from crossfade.file.schema import schema

written = cache(schema)


def data(text: str) -> Any:
    return parse(text.encode(), "crossfade.yaml").plain()


def test_the_schema_is_of_the_draft_that_editors_know() -> None:
    """2020-12, with a title to show."""
    assert written()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert written()["title"] == "crossfade.yaml"


@pytest.mark.parametrize(
    "text",
    [
        FULL,
        SMALL,
        SMALL + "listen: 80\n",
        SMALL + "    health:\n    drain:\n    deploy: {strategy: }\n",
        SMALL + "    health: {codes: 200}\n    env: {A: 1, B: true, C: x}\n    drain: 15\n",
        SMALL + "    health: {codes: [200, 300-399]}\n    resources: {cpu: '0.5', memory: 1.5G}\n",
        "app: a\nservices: {web: {image: x, command: [a, b]}}\n",
        "app: a\nservices: {web: {replicas: 2}}\nenvironments: {prod: {services: {web: {image: x}}}}\n",
    ],
)
def test_what_the_loader_takes_the_schema_takes(tmp_path: Path, text: str) -> None:
    """No red line under a good file."""
    path = tmp_path / "crossfade.yaml"
    path.write_text(text)
    load(path)
    assert accepts(written(), data(text))


def test_what_the_loader_refuses_the_schema_refuses_if_it_can() -> None:
    """Misspelt keys and wrong types are red while they are typed; the rest is marked as needing `check`."""
    for title, text, *_ in CASES:
        with suppress(WrongFileError):  # no YAML mapping, which an editor says without the schema
            assert accepts(written(), data(text)) == title.endswith("(needs check)"), title


def parts(schema: Any) -> list[tuple[str, Any]]:
    found = [("File", schema), *schema["$defs"].items()]
    return [
        (name, next((form for form in part.get("anyOf", []) if "properties" in form), part)) for name, part in found
    ]


def test_every_key_has_a_description_and_an_example() -> None:
    """Editors show both; the reference is made of them."""
    bare = [
        f"{name}.{key}"
        for name, part in parts(written())
        for key, field in part["properties"].items()
        if not field.get("description") or not field.get("examples")
    ]
    assert bare == []


def test_every_example_is_taken_by_the_schema() -> None:
    """An example that would be refused is worse than none."""
    wrong = [
        f"{name}.{key}"
        for name, part in parts(written())
        for key, field in part["properties"].items()
        for example in field["examples"]
        if not accepts({key: value for key, value in field.items() if key != "examples"}, example, written())
    ]
    assert wrong == []


def test_every_model_refuses_unknown_keys() -> None:
    """In the models as in the schema."""
    assert all(part["additionalProperties"] is False for _, part in parts(written()))
    assert issubclass(File, Part)


def written_in(part: type[Part], value: Any) -> Iterator[str]:
    """The keys of `part`, and of all that it contains, that the file never writes."""
    for name, field in part.model_fields.items():
        key = field.alias or name
        values = [one[key] for one in value if one.get(key) is not None]
        if not values:
            yield f"{part.__name__}.{key}"
        elif below := _part_of(field.annotation):
            yield from written_in(below, [one for some in values for one in _mappings(some, below)])


def _part_of(annotation: Any) -> type[Part] | None:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    return next((part for one in get_args(annotation) if (part := _part_of(one))), None)


def _mappings(value: Any, part: type[Part]) -> list[dict[str, Any]]:
    """Those that are such a part: the value itself, the items of a list, the values under free names."""
    if isinstance(value, list):
        return [item for item in value if isinstance(item, dict)]
    known = {field.alias or name for name, field in part.model_fields.items()}
    if isinstance(value, str):  # a short form
        return []
    if value and not value.keys() & known:
        return list(value.values())
    return [value]


def test_the_full_file_has_every_key() -> None:
    """What is checked with it (the schema, JSON, random damage) is checked for all keys; Environment repeats them."""
    tree = data(FULL)
    tree.pop("environments")
    trees = [tree, data(WORKERS), data(ON_HOSTS), data(ON_SERVERS)]
    lacking = [
        key
        for key in written_in(File, trees)
        if key
        not in {"File.environments", "File.platform", "File.balancer", "Image.name", "Image.build", "Image.credentials"}
    ]
    assert lacking == []
