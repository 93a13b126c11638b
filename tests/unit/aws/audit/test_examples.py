"""What is found in the five systems, as their documents describe them."""

from functools import cache
from pathlib import Path

import pytest

from crossfade.aws.audit.file import audit_file
from crossfade.aws.audit.finding import Finding
from crossfade.aws.audit.rule import Severity
from crossfade.file.load import load_whole

EXAMPLES = Path(__file__).parents[4] / "examples"
SYSTEMS = ("bluegreen", "teammoa", "tiketi", "codemate", "feedback")


@cache
def found(system: str, environment: str) -> tuple[Finding, ...]:
    return tuple(audit_file(load_whole(EXAMPLES / system / "crossfade.yaml", environment)))


@pytest.mark.parametrize(
    ("system", "environment", "rule", "where"),
    [
        # Their document opens SSH and the exporter to the world.
        ("feedback", "prod", "CF-NET-001", "cloud.network.open_ports.0"),
        ("feedback", "prod", "CF-NET-002", "cloud.network.open_ports.1"),
        ("feedback", "dev", "CF-NET-001", "cloud.network.open_ports.0"),
        # The database is on its own host, which no standby replaces, and there is no name for a certificate.
        ("feedback", "prod", "CF-DAT-006", "cloud.database.host"),
        ("feedback", "prod", "CF-TLS-001", "cloud.certificate"),
        # The frontend's /api/health lies under the backend's /api/*.
        ("codemate", "prod", "CF-AVL-005", "services.frontend.health.path"),
        ("codemate", "dev", "CF-AVL-005", "services.frontend.health.path"),
        # `latest` is pushed again and again.
        ("tiketi", "prod", "CF-IMG-001", "cloud.registry.immutable"),
        ("tiketi", "prod", "CF-OBS-002", "cloud.alarms"),
        # One Redis for sessions and channels, and nobody who is warned before the bill.
        ("teammoa", "prod", "CF-DAT-007", "cloud.cache.replicas"),
        ("teammoa", "prod", "CF-CST-001", "cloud.budget"),
        # Its hosts in development stay at addresses of the world.
        ("teammoa", "dev", "CF-NET-007", "cloud.compute.address"),
    ],
)
def test_what_their_documents_leave_open_is_found(system: str, environment: str, rule: str, where: str) -> None:
    """Each at the key that says so."""
    assert (rule, where) in {(one.rule.id, one.where) for one in found(system, environment)}


def test_codemate_passes_its_own_checklist() -> None:
    """Its production has encryption, standby, alarms, budget and a guarded account.

    Notes are left, and a bucket without versions as their document has it: its files are built, and can be again.
    """
    more = {(one.rule.id, one.where) for one in found("codemate", "prod") if one.severity is not Severity.LOW}
    assert more == {("CF-DAT-009", "cloud.buckets.static.versioned")}


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_finding_can_be_opened(system: str) -> None:
    """In every environment each finding has a line of the file, or of what is nearest to it."""
    path = EXAMPLES / system / "crossfade.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    for environment in load_whole(path, "prod").environments:
        for one in found(system, environment):
            line = lines[one.place.line - 1]
            assert one.place.file == str(path)
            assert line[one.place.column - 1 :].strip()
