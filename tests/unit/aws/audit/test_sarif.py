"""SARIF 2.1.0: what its schema requires, and what code hosts show.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.unit.aws.audit.files import found
from tests.unit.aws.audit.plans import FOLDER

from crossfade.aws.audit.finding import Finding
from crossfade.aws.audit.judge import judged
from crossfade.aws.audit.plan import audit_plan
from crossfade.aws.audit.sarif import sarif
from crossfade.aws.resources.plan import open_plan
from crossfade.file.cloud.accept import Acceptance

ACCEPTANCE = {"id": "CF-DAT-001", "reason": "Nothing but the demo's data", "until": "2027-03-31"}
PUBLIC = {"cloud": {"database": {"public": True}, "budget": None}}


@pytest.fixture
def findings(tmp_path: Path) -> list[Finding]:
    return [*found(tmp_path, PUBLIC), *audit_plan(open_plan(FOLDER / "broken" / "plan.json"), "a plan.json")]


def results(findings: list[Finding]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = sarif(findings)["runs"][0]["results"]
    return made


def test_the_log_is_complete(findings: list[Finding]) -> None:
    """Version, schema, one run with a tool, and one result for each finding."""
    log = sarif(findings)

    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    assert run["tool"]["driver"]["name"] == "crossfade audit"
    assert len(run["results"]) == len(findings)


def test_each_rule_is_explained_once(findings: list[Finding]) -> None:
    """Rules are there once, with help, and each result points at its own."""
    run = sarif(findings)["runs"][0]
    rules = run["tool"]["driver"]["rules"]

    assert len({rule["id"] for rule in rules}) == len(rules)
    assert all(rule["help"]["text"] and rule["shortDescription"]["text"] for rule in rules)
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    assert all("helpUri" not in rule or rule["helpUri"].startswith("https://") for rule in rules)


def test_each_result_has_what_is_required(findings: list[Finding]) -> None:
    """A message, a level that SARIF knows, and a place with a line from 1."""
    for result in results(findings):
        assert result["message"]["text"]
        assert result["level"] in {"error", "warning", "note"}
        (location,) = result["locations"]
        region = location["physicalLocation"]["region"]
        assert region["startLine"] >= 1
        assert region["startColumn"] >= 1
        assert " " not in location["physicalLocation"]["artifactLocation"]["uri"]


def test_a_place_in_the_file_is_its_line(tmp_path: Path) -> None:
    """The region is where the key stands, the logical location is the key."""
    (one, _) = sorted(found(tmp_path, PUBLIC), key=lambda each: each.order)

    (location,) = results([one])[0]["locations"]

    lines = (tmp_path / "crossfade.yaml").read_text(encoding="utf-8").splitlines()
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "crossfade.yaml"
    assert "public: true" in lines[location["physicalLocation"]["region"]["startLine"] - 1]
    assert location["logicalLocations"] == [{"fullyQualifiedName": "cloud.database.public"}]


def test_fingerprints_tell_findings_apart_and_outlive_lines(tmp_path: Path, findings: list[Finding]) -> None:
    """Each finding has its own, which stays when lines above it are added."""
    (tmp_path / "later").mkdir()
    later = found(tmp_path / "later", {"access_log": True} | PUBLIC)
    marks = [result["partialFingerprints"]["crossfade/v1"] for result in results(findings)]

    assert len(set(marks)) == len({(one.rule.id, one.place.file, one.where) for one in findings})
    assert {result["partialFingerprints"]["crossfade/v1"] for result in results(later)} <= set(marks)
    assert later[0].place.line != findings[0].place.line


def test_what_is_accepted_is_suppressed_with_its_reason(findings: list[Finding]) -> None:
    """It stays in the log, where a code host closes it; what lapsed is open."""
    accepted = judged(findings, [Acceptance.model_validate(ACCEPTANCE)], date(2027, 3, 31))
    lapsed = judged(findings, [Acceptance.model_validate(ACCEPTANCE)], date(2027, 4, 1))

    suppressed = [result for result in results(accepted) if "suppressions" in result]
    assert {result["ruleId"] for result in suppressed} == {"CF-DAT-001"}
    assert suppressed[0]["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "Nothing but the demo's data"}
    ]
    assert not [result for result in results(lapsed) if "suppressions" in result]
