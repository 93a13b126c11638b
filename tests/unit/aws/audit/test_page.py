"""The page of rules is made from the rules."""

from pathlib import Path

from crossfade.aws.audit.page import page
from crossfade.aws.audit.rule import rules

DOCS = Path(__file__).parents[4] / "docs"


def test_the_page_is_current() -> None:
    """docs/audit.md is what `python -m crossfade.aws.audit.page docs/audit.md` writes."""
    assert (DOCS / "audit.md").read_text(encoding="utf-8") == page()


def test_every_rule_is_on_it() -> None:
    """Each with its heading."""
    headings = [line.split(":")[0].removeprefix("### ") for line in page().splitlines() if line.startswith("### ")]

    assert headings == list(rules())
