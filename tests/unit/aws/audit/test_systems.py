"""Ten systems of other kinds than the examples', planned by terraform: a comment names what is found at a resource."""

import json
import re
import shutil
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from tests.support.terraform import find_terraform, offline, served

from crossfade.aws.audit.plan import audit_plan
from crossfade.aws.resources.plan import understand

FOLDER = Path(__file__).parent / "systems"
SYSTEMS = sorted(path.stem for path in FOLDER.glob("*.tf") if path.stem != "providers")
DAY = date(2026, 11, 28)
_RESOURCE = re.compile(r'^resource "(\w+)" "(\w+)" \{(?: # (.*))?$', re.MULTILINE)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, frozenset[str]]:
    """Rules by address, of one plan in which each system is a module."""
    scratch = tmp_path_factory.mktemp("systems")
    shutil.copy(FOLDER / "providers.tf", scratch)
    calls = {name: {"source": f"./{name}", "outside": "${var.outside}"} for name in SYSTEMS}
    (scratch / "main.tf.json").write_text(json.dumps({"module": calls}))
    for name in SYSTEMS:
        (scratch / name).mkdir()
        shutil.copy(FOLDER / f"{name}.tf", scratch / name)
        (scratch / name / "inputs.tf.json").write_text(json.dumps({"variable": {"outside": {"sensitive": True}}}))
    offline(scratch)
    with served(find_terraform(scratch)) as terraform:
        terraform.init(scratch, backend=True)
        plan = terraform.plan(scratch, "-var=outside=0ther-where-it-is-made")
    rules: dict[str, set[str]] = defaultdict(set)
    for one in audit_plan(understand(plan, "plan.json"), "plan.json", day=DAY):
        rules[one.where].add(one.rule.id)
    return {where: frozenset(ids) for where, ids in rules.items()}


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_the_comments_name_is_found_and_nothing_else(system: str, found: Mapping[str, frozenset[str]]) -> None:
    """Each danger at its resource, and at what only looks like one nothing."""
    text = (FOLDER / f"{system}.tf").read_text(encoding="utf-8")
    written = {
        f"module.{system}.{kind}.{name}": frozenset(re.findall(r"CF-\w+-\d+", comment))
        for kind, name, comment in _RESOURCE.findall(text)
    }
    assert len(written) == text.count('\nresource "')
    assert {where: found.get(where, frozenset()) for where in written} == written
