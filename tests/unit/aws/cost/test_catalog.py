"""The catalogue: no type of the provider, and no attribute of what is billed, that nobody has judged."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support import provider_schema
from tests.support.terraform import find_terraform
from tests.unit.aws.cost.bills import items, made, of

from crossfade.aws.cost.catalog.catalog import Extra, by_code, verdict, verdicts
from crossfade.aws.cost.prices.keys import unknown

JUDGED: dict[str, Any] = yaml.safe_load((provider_schema.FOLDER / "judged.yaml").read_text())
NAMES = frozenset(JUDGED["names"].split())
ATTRIBUTES = {
    kind: paths.split()
    for kind, _, paths in (line.partition(":") for line in provider_schema.read(provider_schema.ATTRIBUTES))
}
EXTRAS = {kind: found.extras for kind, found in verdicts().items() if found.extras}


def test_every_type_of_the_provider_is_judged() -> None:
    """Each type is priced, unknown for a reason, or free; one that nobody has judged fails here."""
    assert [kind for kind in provider_schema.read(provider_schema.TYPES) if verdict(kind) is None] == []


def test_nothing_is_judged_that_does_not_exist() -> None:
    """A verdict on a type that the provider does not have is a slip of the pen."""
    known = provider_schema.read(provider_schema.TYPES)
    assert [kind for kind in verdicts() if not kind.endswith("*") and kind not in known] == []


def test_what_is_unknown_says_why() -> None:
    """A type without a price is a line whose note says why, with AWS's page, and is counted."""
    unknown = {kind: found for kind, found in verdicts().items() if found.unknown}
    assert len(unknown) > 300
    for kind, found in unknown.items():
        notes = [each.note for each in of(made(f"{kind}.this")).unknown if each.item == kind]
        assert notes == [f"{found.unknown}; {found.page}"], kind


def test_a_type_that_nobody_judged_is_unknown() -> None:
    """A type of a newer provider is in the bill, and says that nobody has judged it."""
    (line,) = of(made("aws_quantum_toaster.this")).unknown
    assert line.note == "nobody has judged yet whether AWS bills this type"


def test_every_attribute_of_what_is_billed_is_judged() -> None:
    """Each attribute that can be set is read by a charge, named by a table, or free; a new one fails."""
    assert [f"{kind}.{path}" for kind, paths in ATTRIBUTES.items() for path in _unjudged(kind, paths)] == []


def _unjudged(kind: str, paths: list[str]) -> list[str]:
    found = verdict(kind)
    assert found is not None, kind
    read = {*by_code().get(kind, ()), *JUDGED["free"].get(kind, "").split(), *found.reads}
    named = [path for path in paths if path.rpartition(".")[2] not in NAMES]
    return [path for path in named if not any(path == each or path.startswith(f"{each}.") for each in read)]


@pytest.mark.parametrize("kind", EXTRAS)
def test_an_attribute_that_is_billed_on_top_is_a_line(kind: str) -> None:
    """Set to anything but its free values, the attribute is an unknown line with its reason."""
    for extra in EXTRAS[kind]:
        _is_a_line(kind, extra)


def _is_a_line(kind: str, extra: Extra) -> None:
    here: Any = "something"
    path = extra.path.split(".")
    for key in reversed(path[1:]):
        here = [{key: here}]
    item = f"{kind}, {extra.path}"
    (line,) = (each for each in of(made(f"{kind}.this", **{path[0]: here})).unknown if each.item == item)
    assert line.note == extra.why
    for value in extra.free:
        free: Any = value
        for key in reversed(path[1:]):
            free = [{key: free}]
        assert item not in items(of(made(f"{kind}.this", **{path[0]: free})))


def test_what_a_table_asks_a_price_of_can_have_one() -> None:
    """Every price that a table names is accepted in a team's book."""
    for found in verdicts().values():
        for line in found.lines:
            key = line.price.replace("{", "").replace("}", "").replace("|", "").replace("?", "")
            assert unknown(line.price if "{" not in line.price else key) is None or "?" in line.price


@pytest.mark.long
def test_the_lists_are_the_providers(tmp_path: Path) -> None:
    """The committed lists are what the provider of their version says."""
    version, resources = provider_schema.asked(find_terraform(tmp_path), tmp_path)
    first = provider_schema.TYPES.read_text().splitlines()[0]
    if first != f"# hashicorp/aws {version}":
        pytest.skip(f"the lists are of another version: {first.removeprefix('# ')}")
    assert provider_schema.TYPES.read_text() == provider_schema.types(version, resources)
    assert provider_schema.ATTRIBUTES.read_text() == provider_schema.attributes(version, resources)
