"""Rules on the file: each with what breaks it and what comes near, all from cases.yaml."""

from pathlib import Path
from typing import Any

import pytest
from tests.unit.aws.audit.files import FOLDER, cases, found, loaded

from crossfade.aws.audit import plan
from crossfade.aws.audit.account import OF_ASKED
from crossfade.aws.audit.file import RULES, audit_file
from crossfade.aws.audit.rule import Severity, rules
from crossfade.file.load import load_whole

BREAKS = [(rule, case) for rule, of in cases().items() for case in of["breaks"]]
NEAR = [(rule, change) for rule, of in cases().items() for change in of.get("near", ())]


def test_nothing_is_found_where_all_is_well() -> None:
    """The clean file has no finding at all."""
    assert [str(one.rule.id) for one in audit_file(load_whole(FOLDER / "clean.yaml"))] == []


def test_every_rule_has_a_case() -> None:
    """A rule that looks at the file and has nothing that breaks it may never fire."""
    assert set(cases()) == RULES


def test_every_rule_is_looked_for() -> None:
    """No rule is only written down."""
    assert set(rules()) == RULES | plan.RULES | OF_ASKED.keys()


@pytest.mark.parametrize(("rule", "case"), BREAKS, ids=[f"{rule}-{number}" for number, (rule, _) in enumerate(BREAKS)])
def test_a_rule_finds_what_breaks_it(rule: str, case: dict[str, Any], tmp_path: Path) -> None:
    """The change is found at its keys, by this rule and by no other than those that say so."""
    all_found = found(tmp_path, case["lay"], without=case.get("without", ()))

    assert [one.where for one in all_found if one.rule.id == rule] == case["at"]
    assert {one.rule.id for one in all_found} == {rule, *case.get("also", ())}
    assert all(one.severity is one.rule.severity for one in all_found)


@pytest.mark.parametrize(("rule", "change"), NEAR, ids=[f"{rule}-{number}" for number, (rule, _) in enumerate(NEAR)])
def test_what_only_comes_near_is_not_found(rule: str, change: dict[str, Any], tmp_path: Path) -> None:
    """The other side of a rule's border."""
    assert [one.where for one in found(tmp_path, change) if one.rule.id == rule] == []


@pytest.mark.parametrize(("rule", "case"), BREAKS, ids=[f"{rule}-{number}" for number, (rule, _) in enumerate(BREAKS)])
def test_outside_of_production_a_rule_is_as_strict_as_it_says(rule: str, case: dict[str, Any], tmp_path: Path) -> None:
    """A finding has its rule's weight for other environments, or is none there."""
    all_found = found(tmp_path, case["lay"], without=case.get("without", ()), environment="staging")

    assert all(one.severity is one.rule.elsewhere for one in all_found)
    if rules()[rule].elsewhere is not None and rule != "CF-OBS-005":  # whose border is another one there
        assert rule in {one.rule.id for one in all_found}


def test_a_finding_says_where_it_is_written(tmp_path: Path) -> None:
    """Line and column are those of the key in the file, also when an environment says it."""
    (one,) = found(tmp_path, {"cloud": {"database": {"public": True}}})

    lines = (tmp_path / "crossfade.yaml").read_text(encoding="utf-8").splitlines()
    assert lines[one.place.line - 1][one.place.column - 1 :] == "public: true"
    assert one.place.file == "crossfade.yaml"


def test_a_default_is_found_at_what_is_written_nearest(tmp_path: Path) -> None:
    """Who never wrote a budget is sent to the part where it would stand."""
    (one,) = found(tmp_path, {"cloud": {"budget": None}})

    lines = (tmp_path / "crossfade.yaml").read_text(encoding="utf-8").splitlines()
    assert one.where == "cloud.budget"
    assert lines[one.place.line - 1].strip().startswith(("cloud:", "budget:"))


def test_on_this_machine_only_services_are_looked_at(tmp_path: Path) -> None:
    """An environment that is not on AWS has no network, no alarms and no bill there."""
    here = loaded(tmp_path, {"platform": "local", "cloud": {"budget": None}, "services": {"web": {"timeout": "5m"}}})

    assert [one.rule.id for one in audit_file(here)] == ["CF-AVL-003"]


def test_another_environment_may_watch_the_account(tmp_path: Path) -> None:
    """CloudTrail in one environment is enough for all of them."""
    text = (FOLDER / "clean.yaml").read_text(encoding="utf-8")
    text = text.replace("guards: {cloudtrail: true, guardduty: true}", "guards: {}")
    path = tmp_path / "crossfade.yaml"

    path.write_text(text + "  dev: {platform: aws, cloud: {guards: {cloudtrail: true}}}\n", encoding="utf-8")

    assert [one.rule.id for one in audit_file(load_whole(path, "prod"))] == ["CF-ACC-002"]


def test_a_rule_says_what_a_person_needs() -> None:
    """Each has a title, a reason, a way to mend it and a source, in whole words."""
    for rule in rules().values():
        assert rule.title, rule.id
        assert not rule.title.endswith("."), rule.id
        assert all(text.endswith((".", "`.", ").")) for text in (rule.why, rule.mend)), rule.id
        assert rule.source, rule.id
        assert rule.elsewhere is None or rule.elsewhere <= rule.severity, rule.id
        assert rule.severity >= Severity.LOW, rule.id
