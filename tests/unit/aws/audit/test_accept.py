"""Findings that a team lives with: for how long, where, and that nothing else hides behind them."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.aws.audit.files import loaded

from crossfade.aws.audit.accept import Accepted, of_file
from crossfade.aws.audit.finding import Finding, counting
from crossfade.aws.audit.judge import judged, matches
from crossfade.aws.audit.rule import Severity, rules
from crossfade.core.errors import WrongInputError
from crossfade.file.cloud.accept import Acceptance
from crossfade.file.reading.problem import Position
from crossfade.file.reading.sheet import read_sheet

TODAY = date(2026, 11, 21)
SSH = {"network": {"open_ports": [{"port": 22, "to": ["0.0.0.0/0"]}]}}


def finding(rule: str, where: str = "cloud.somewhere") -> Finding:
    return Finding(
        rule=rules()[rule],
        severity=rules()[rule].severity,
        what="it",
        where=where,
        place=Position("crossfade.yaml", 1, 1),
    )


def acceptance(rule: str, where: str | None = None, until: date = TODAY) -> Acceptance:
    return Acceptance.model_validate({"id": rule, "where": where, "reason": "because", "until": until.isoformat()})


def test_it_counts_again_on_the_day_after() -> None:
    """The last day is still covered; on the next the finding is back and says what lapsed."""
    one, until = finding("CF-NET-001"), acceptance("CF-NET-001")

    (last,) = judged([one], [until], TODAY)
    (after,) = judged([one], [until], TODAY + timedelta(days=1))

    assert (last.accepted, last.lapsed) == (until, None)
    assert (after.accepted, after.lapsed) == (None, until)
    assert counting([last, after], Severity.LOW) == [after]


def test_a_renewed_acceptance_outlives_the_old_one() -> None:
    """Of two that cover a finding the longer one holds."""
    old, new = acceptance("CF-NET-001", until=TODAY - timedelta(days=9)), acceptance("CF-NET-001")

    (one,) = judged([finding("CF-NET-001")], [new, old], TODAY)

    assert one.accepted == new


ids = st.sampled_from(sorted(rules()))
places = st.sampled_from(["cloud.database.backups", "services.web.drain", "module.db.aws_db_instance.this[0]", ""])
findings = st.lists(st.builds(finding, ids, places), max_size=20)
acceptances = st.lists(
    st.builds(acceptance, ids, st.none() | places.filter(bool), st.dates(date(2020, 1, 1), date(2030, 1, 1))),
    max_size=20,
)


@given(findings, acceptances)
def test_what_is_accepted_never_counts(found: list[Finding], accepted: list[Acceptance]) -> None:
    """And what counts is covered by no acceptance of today."""
    result = judged(found, accepted, TODAY)

    for one in counting(result, Severity.LOW):
        covering = [a for a in accepted if a.id == one.rule.id and a.where in (None, one.where)]
        assert all(a.until < TODAY for a in covering)
    assert all(one.accepted is None for one in counting(result, Severity.LOW))
    assert counting(result, None) == []


@given(findings, ids, places)
def test_accepting_one_rule_hides_no_other(found: list[Finding], rule: str, where: str) -> None:
    """Findings of other rules and at other places are as they were, and none is lost."""
    result = judged(found, [acceptance(rule, where or None)], TODAY)

    assert sorted(one.rule.id for one in result) == sorted(one.rule.id for one in found)
    for one in result:
        assert (one.accepted is not None) == (one.rule.id == rule and where in ("", one.where))


@given(findings)
def test_the_worst_comes_first(found: list[Finding]) -> None:
    """The order is by severity."""
    weights = [one.severity for one in judged(found, [], TODAY)]

    assert weights == sorted(weights, reverse=True)


@pytest.mark.parametrize(
    ("pattern", "where", "same"),
    [
        ("cloud.database.*", "cloud.database.backups", True),
        ("cloud.database.*", "cloud.databases", False),
        ("*.this[0]", "module.a.aws_lb.this[0]", True),
        ("module.a.aws_lb.this[0]", "module.a.aws_lb.this0", False),
        ("*", "", True),
        ("*db*", "module.db.aws_db_instance.this", True),
        ("services.web.drai?", "services.web.drain", False),
    ],
)
def test_only_the_star_is_special(pattern: str, where: str, same: bool) -> None:
    """Brackets and dots of addresses are themselves."""
    assert matches(pattern, where) is same


def refused(folder: Path, accept: list[dict[str, Any]]) -> str:
    with pytest.raises(WrongInputError) as error:
        of_file(loaded(folder, {"cloud": {"accept": accept}}))
    return error.value.cause


GOOD = {"id": "CF-NET-001", "reason": "because", "until": "2027-03-31"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"id": "CF-NET-O06"}, 'found "CF-NET-O06"; did you mean CF-NET-006?; allowed: the id of a rule'),
        ({"until": "soon"}, 'found "soon"; allowed: a day such as 2027-03-31'),
        ({"until": "2027-02-30"}, 'found "2027-02-30"; allowed: a day such as 2027-03-31'),
        ({"reason": " "}, 'found " "; allowed: one line that says why this is accepted'),
        ({"reason": None}, "found no value; allowed: one line that says why this is accepted"),
        ({"because": "x"}, 'unknown key "because"; allowed: one of id, where, reason, until'),
    ],
)
def test_a_bad_acceptance_is_refused_where_it_stands(wrong: dict[str, Any], said: str, tmp_path: Path) -> None:
    """With line, key, what was found and what is allowed."""
    cause = refused(tmp_path, [GOOD | wrong])

    assert "cloud.accept.0" in cause
    assert said in cause


@pytest.mark.parametrize("key", ["id", "reason", "until"])
def test_an_acceptance_without_reason_or_end_is_none(key: str, tmp_path: Path) -> None:
    """What is left out is named, with an example."""
    cause = refused(tmp_path, [{name: value for name, value in GOOD.items() if name != key}])

    assert f"no {key}; allowed: {key}: " in cause


def test_a_file_for_plans_is_read_as_strictly(tmp_path: Path) -> None:
    """The list of --accept is the same list."""
    path = tmp_path / "accept.yaml"
    path.write_text("accept:\n  - {id: CF-NET-001, reason: because, until: 2027-03-31}\n", encoding="utf-8")

    assert [one.until for one in read_sheet(Accepted, path).accept] == [date(2027, 3, 31)]

    path.write_text("accept:\n  - {id: CF-NTE-001, reason: because, until: 2027-03-31}\n", encoding="utf-8")
    with pytest.raises(WrongInputError, match=r'accept\.yaml:2:6: accept\.0\.id: found "CF-NTE-001"; did you mean'):
        read_sheet(Accepted, path)
