"""audit: what is dangerous in the file or in a plan."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crossfade.cli.call import Call, called
from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.telling.text import plural, table

if TYPE_CHECKING:
    from crossfade.aws.audit.finding import Finding, Mark
    from crossfade.aws.audit.rule import AuditRule
    from crossfade.aws.resources.plan import Plan
    from crossfade.file.cloud.accept import Acceptance

FOUND = 3  # exit code
_SEVERITIES = ("critical", "high", "medium", "low")


@click.command(
    epilog="Exit code 3: something at or above --fail-on was found that nobody accepted. "
    "Examples: crossfade audit -e prod | crossfade audit --plan plan.json --accept accept.yaml | "
    "crossfade audit -e prod --sarif audit.sarif --fail-on medium | crossfade audit --account"
)
@called(file=True, state=False)
@click.option(
    "--plan", type=click.Path(path_type=Path), help="A plan as `terraform show -json` writes it, of any Terraform."
)
@click.option("--account", is_flag=True, help="Ask AWS about the account itself: root, passwords, keys.")
@click.option("--accept", type=click.Path(path_type=Path), help="A YAML file with `accept`, as in the file's `cloud`.")
@click.option("--sarif", metavar="FILE|-", help="Write SARIF 2.1.0 there; - is stdout, instead of the table.")
@click.option(
    "--fail-on",
    type=click.Choice((*_SEVERITIES, "none")),
    default="high",
    show_default=True,
    help="The lowest severity that fails.",
)
def audit(call: Call, *, plan: Path | None, account: bool, accept: Path | None, sarif: str | None, fail_on: str) -> int:
    """Find what is dangerous in the file, in a Terraform plan, or in the account itself.

    The file is read where neither --plan nor --account is given, and beside these with -e or -f.
    """
    if sarif == "-" and call.json:
        raise WrongInputError("--json and --sarif - both want stdout", "name a file for one of them")
    from crossfade.aws.audit.finding import counting
    from crossfade.aws.audit.rule import Severity

    today = datetime.now(UTC).astimezone().date()
    read = _opened(plan) if plan else None
    findings, about, lacks = _findings(call, read, accept, today, str(plan), account=account)
    failing = counting(findings, None if fail_on == "none" else Severity.read(fail_on))
    if sarif:
        _write_sarif(sarif, findings, lacks)
    if sarif != "-":
        answer = {"ok": not failing, **about, "incomplete": lacks, **_json(findings)}
        call.answer(answer, _text(findings, about, lacks))
    return FOUND if failing else 0


def _opened(plan: Path) -> "Plan":
    """The plan. WrongInputError when nothing in it is on AWS: no finding there would mean nothing."""
    from crossfade.aws.resources.plan import open_plan

    return open_plan(plan).on_aws(str(plan))


def _findings(
    call: Call, plan: "Plan | None", accept: Path | None, today: date, title: str, *, account: bool
) -> tuple[list["Finding"], dict[str, str | None], list[str]]:
    """All that was found, judged; what was looked at; what of that nobody could read. A plan alone needs no file."""
    from crossfade.aws.audit.judge import judged

    acceptances: list[Acceptance] = []
    found: list[Finding] = []
    lacks: list[str] = []
    about: dict[str, str | None] = {"file": None, "environment": None, "plan": title if plan else None}
    production = None
    if not (plan or account) or call.file or call.environment:
        from crossfade.aws.audit.accept import of_file
        from crossfade.aws.audit.file import audit_file
        from crossfade.file.load import load_whole

        path = call.required()
        loaded = load_whole(path, call.environment)
        acceptances += of_file(loaded)
        found += audit_file(loaded, day=today)
        production = loaded.app.production
        about |= {"file": str(path), "environment": loaded.app.environment}
    if accept:
        from crossfade.aws.audit.accept import Accepted
        from crossfade.file.reading.sheet import read_sheet

        acceptances += read_sheet(Accepted, accept).accept
    if plan:
        from crossfade.aws.audit.plan import audit_plan
        from crossfade.aws.audit.unread import undecided, unread

        open_marks: list[Mark] = []
        found += audit_plan(plan, title, production=production, day=today, undecided=open_marks)
        lacks += [*plan.lacks, *unread(plan), *undecided(open_marks)]
    if account:
        from crossfade.aws.audit.account import asked, audit_account, called

        looked_at = asked()
        found += audit_account(looked_at, today)
        about |= {"account": called(looked_at)}
    return judged(found, acceptances, today), about, lacks


def _write_sarif(where: str, findings: Sequence["Finding"], lacks: Sequence[str]) -> None:
    from crossfade.aws.audit.sarif import sarif

    text = json.dumps(sarif(findings, lacks), indent=2)
    if where == "-":
        click.echo(text)
        return
    try:
        Path(where).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise PlatformError(f"{where} cannot be written: {error.strerror}", "name another file with --sarif") from None


def _json(findings: Iterable["Finding"]) -> dict[str, Any]:
    findings = list(findings)
    open_ = [str(finding.severity) for finding in findings if finding.accepted is None]
    return {
        "counts": {severity: open_.count(severity) for severity in _SEVERITIES},
        "accepted": len(findings) - len(open_),
        "findings": [_one(finding) for finding in findings],
    }


def _one(finding: "Finding") -> dict[str, Any]:
    rule, place = finding.rule, finding.place
    return {
        "id": rule.id,
        "severity": str(finding.severity),
        "title": rule.title,
        "what": finding.what,
        "where": finding.where,
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "why": rule.why,
        "mend": rule.mend,
        "source": rule.source,
        "accepted": _acceptance(finding.accepted),
        "lapsed": _acceptance(finding.lapsed),
    }


def _acceptance(one: "Acceptance | None") -> dict[str, str] | None:
    return {"reason": one.reason, "until": one.until.isoformat()} if one else None


def _text(findings: Sequence["Finding"], about: dict[str, str | None], lacks: Sequence[str]) -> str:
    """The table, what to do about it rule by rule, what nobody looked at, and the sum last, where a terminal ends."""
    open_ = [finding for finding in findings if finding.accepted is None]
    accepted = [finding for finding in findings if finding.accepted]
    lines = []
    if open_:
        lines += [table(_row(finding) for finding in open_), ""]
        lines += [
            line for rule in {finding.rule.id: finding.rule for finding in open_}.values() for line in _advice(rule)
        ]
    if accepted:
        lines += ["Accepted:", table(_accepted_row(finding) for finding in accepted), ""]
    lines += [f"Not all of the truth: {each}" for each in lacks]
    return "\n".join([*lines, _summary(open_, len(accepted), about)])


def _row(finding: "Finding") -> tuple[str, ...]:
    lapsed = f" (accepted until {finding.lapsed.until}, which is over)" if finding.lapsed else ""
    return (str(finding.severity), finding.rule.id, _where(finding), finding.what + lapsed)


def _accepted_row(finding: "Finding") -> tuple[str, ...]:
    accepted = finding.accepted
    assert accepted is not None  # noqa: S101  only asked of those
    return (finding.rule.id, _where(finding), f"until {accepted.until}: {accepted.reason}")


def _where(finding: "Finding") -> str:
    """A line to open, and the key; in a plan the address is all that helps."""
    place = finding.place
    if place.keys[:1] == (finding.where,) or not finding.where:
        return finding.where or place.file
    return f"{place.file}:{place.line}:{place.column} {finding.where}"


def _advice(rule: "AuditRule") -> list[str]:
    from textwrap import wrap

    def said(text: str) -> list[str]:
        return wrap(text, 110, initial_indent="    ", subsequent_indent="    ", break_long_words=False)

    return [
        f"  {rule.id}: {rule.title}",
        *said(rule.why),
        *said(f"Mend: {rule.mend}"),
        f"    Source: {rule.source}",
        "",
    ]


def _summary(open_: Sequence["Finding"], accepted: int, about: dict[str, str | None]) -> str:
    environment = f"environment {about['environment']} of {about['file']}" if about["file"] else ""
    looked_at = " and ".join(part for part in (environment, about["plan"], about.get("account")) if part)
    counts = [(sum(str(finding.severity) == severity for finding in open_), severity) for severity in _SEVERITIES]
    listed = ", ".join(f"{count} {severity}" for count, severity in counts if count)
    rest = f"; {accepted} accepted" if accepted else ""
    return f"{looked_at}: {plural(len(open_), 'finding')}{f' ({listed})' if listed else ''}{rest}"
