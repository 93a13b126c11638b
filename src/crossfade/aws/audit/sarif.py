"""Findings as SARIF 2.1.0, which code hosts and editors show beside the lines.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from crossfade import __version__
from crossfade.aws.audit.finding import Finding
from crossfade.aws.audit.rule import AuditRule, Severity

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note"}
# What GitHub sorts by: 9 and more is critical, 7 high, 4 medium.
# https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
_SCORES = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "2.0"}


def sarif(findings: Iterable[Finding], lacks: Iterable[str] = ()) -> dict[str, Any]:
    """One run with all findings; those that somebody accepted are there too, suppressed with the reason.

    `lacks` are sentences about what was not looked at: notifications of the run.
    """
    findings = list(findings)
    rules = list({finding.rule.id: finding.rule for finding in findings}.values())
    index = {rule.id: number for number, rule in enumerate(rules)}
    driver = {
        "name": "crossfade audit",
        "version": __version__,
        "rules": [_rule(rule) for rule in rules],
    }
    results = [_result(finding, index[finding.rule.id]) for finding in findings]
    told = [{"level": "warning", "message": {"text": f"Not all of the truth: {each}."}} for each in lacks]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": told}],
                "results": results,
            }
        ],
    }


def _rule(rule: AuditRule) -> dict[str, Any]:
    described: dict[str, Any] = {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {
            "text": f"{rule.why}\n\nHow to mend it: {rule.mend}\n\nSource: {rule.source}",
            "markdown": f"{rule.why}\n\n**How to mend it:** {rule.mend}\n\nSource: {rule.source}",
        },
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"security-severity": _SCORES[rule.severity], "tags": ["infrastructure", rule.id.split("-")[1]]},
    }
    return described | ({"helpUri": rule.source} if rule.source.startswith("https://") else {})


def _result(finding: Finding, rule_index: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule.id,
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.rule.title}: {finding.what}."},
        "locations": [_location(finding)],
        "partialFingerprints": {"crossfade/v1": _fingerprint(finding)},
    }
    if finding.accepted:
        suppressed = {"kind": "external", "status": "accepted", "justification": finding.accepted.reason}
        result["suppressions"] = [suppressed]
    return result


def _location(finding: Finding) -> Mapping[str, Any]:
    place = finding.place
    physical = {
        "artifactLocation": {"uri": _uri(place.file)},
        "region": {"startLine": max(1, place.line), "startColumn": max(1, place.column)},
    }
    logical = {"fullyQualifiedName": finding.where}
    return {"physicalLocation": physical} | ({"logicalLocations": [logical]} if finding.where else {})


def _uri(path: str) -> str:
    from urllib.parse import quote  # noqa: PLC0415  only SARIF needs it

    return f"file://{quote(path)}" if path.startswith("/") else quote(path)


def _fingerprint(finding: Finding) -> str:
    """The same finding as yesterday, also when lines above it were added: rule and key, not line."""
    text = f"{finding.rule.id}\n{finding.place.file}\n{finding.where}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]
