"""The page of rules is made from the rules."""

import re
from pathlib import Path

import pytest

from crossfade.aws.audit.other import others
from crossfade.aws.audit.page import page
from crossfade.aws.audit.rule import rules

DOCS = Path(__file__).parents[4] / "docs"
CHECKS = Path(__file__).parent / "other_checks"


def test_the_page_is_current() -> None:
    """docs/audit.md is what `python -m crossfade.aws.audit.page docs/audit.md` writes."""
    assert (DOCS / "audit.md").read_text(encoding="utf-8") == page()


def test_every_rule_is_on_it() -> None:
    """Each with its heading."""
    headings = [line.split(":")[0].removeprefix("### ") for line in page().splitlines() if line.startswith("### ")]

    assert headings == list(rules())


def test_each_says_what_it_looks_at() -> None:
    """The file, plans, or both; also one that depends on the day; some look at the account alone."""
    said = [line for line in page().splitlines() if "Looks at" in line]

    assert len(said) == len(rules())
    kinds = "the file|plans|the file and plans|the account|plans and the account"
    assert all(re.search(rf"Looks at ({kinds})\.$", line) for line in said)


def test_what_others_look_at_is_answered() -> None:
    """Each of their checks is there once, with rules of ours that exist, with a reason, or as not there yet."""
    every = [one for checks in others().values() for one in checks]
    names = [name for one in every for name in (*one.fsbp, *one.checkov)]
    assert len(names) == len(set(names)) > 100
    for one in every:
        assert one.fsbp or one.checkov
        assert one.rules or one.why or one.yet, one.what
        assert set(one.rules) <= rules().keys(), one.what
        assert all(re.fullmatch(r"[A-Z]\w+\.\d+", name) for name in one.fsbp)
        assert all(re.fullmatch(r"CKV2?_AWS_\d+", name) for name in one.checkov)


@pytest.mark.parametrize("kind", ["fsbp", "checkov"])
def test_all_that_others_look_at_is_on_it(kind: str) -> None:
    """What neither a rule nor the table names is looked at by nobody: no check of theirs is left out in silence."""
    lines = (CHECKS / f"{kind}.txt").read_text(encoding="utf-8").splitlines()
    theirs = {line for line in lines if not line.startswith("#")}
    assert len(theirs) > 300
    assert theirs - {name for checks in others().values() for one in checks for name in getattr(one, kind)} == set()


def test_a_rule_that_names_their_control_as_its_source_stands_beside_it() -> None:
    """Where a rule's source is one of AWS's controls, the table has the rule there."""
    beside = {name.lower(): one.rules for checks in others().values() for one in checks for name in one.fsbp}
    for rule in rules().values():
        control = re.search(r"-controls\.html#([a-z0-9]+)-(\d+)$", rule.source)
        if control and (name := f"{control[1]}.{control[2]}") in beside:
            assert rule.id in beside[name], name
