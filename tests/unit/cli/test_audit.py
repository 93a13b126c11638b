"""audit: what it finds in files and plans, how it says so, and when it fails."""

import json
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner, Result
from tests.unit.aws.audit.files import written
from tests.unit.aws.audit.plans import FOLDER

from crossfade.cli.main import crossfade
from crossfade.core.errors import WrongInputError

BROKEN, CLEAN = (str(FOLDER / name / "plan.json") for name in ("broken", "clean"))
SSH = {"cloud": {"network": {"open_ports": [{"port": 22, "to": ["0.0.0.0/0"]}]}}}
ACCEPT = {"id": "CF-NET-001", "reason": "A firewall stands before it", "until": "9999-12-31"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> Result:
    """The exit code is the verb's answer; errors that the rim would show come out as they are."""
    result = CliRunner().invoke(crossfade, ["audit", *words], standalone_mode=False)
    if isinstance(result.exception, Exception) and not isinstance(result.exception, click.exceptions.Exit):
        raise result.exception
    return result


def asked(*words: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run(*words, "--json").output.splitlines()[-1])
    return answer


def test_a_finding_is_a_line_with_advice_below(folder: Path) -> None:
    """Severity, id, place and what; then why, how to mend it and the source; then the sum."""
    written(folder, SSH)

    result = run()

    lines = result.output.splitlines()
    assert lines[0].split()[:2] == ["high", "CF-NET-001"]
    assert "crossfade.yaml:" in lines[0]
    assert lines[0].endswith("port 22 of the hosts is open to 0.0.0.0/0")
    assert any(line.strip().startswith("Mend: Remove the port") for line in lines)
    assert any(line.strip().startswith("Source: https://") for line in lines)
    assert lines[-1] == "environment prod of crossfade.yaml: 1 finding (1 high)"
    assert result.return_value == 3


def test_without_a_finding_all_is_well(folder: Path) -> None:
    """Exit code 0, and a sum that says so."""
    written(folder)

    result = run()

    assert result.output == "environment prod of crossfade.yaml: 0 findings\n"
    assert result.return_value == 0


@pytest.mark.parametrize(("fail_on", "code"), [("critical", 0), ("high", 3), ("medium", 3), ("low", 3), ("none", 0)])
def test_the_least_severity_that_fails_can_be_chosen(fail_on: str, code: int, folder: Path) -> None:
    """A high finding fails at high and below, and never with none."""
    written(folder, SSH)

    assert run("--fail-on", fail_on).return_value == code


def test_json_has_all_that_a_person_is_told(folder: Path) -> None:
    """One object on the last line."""
    written(folder, SSH)

    answer = asked()

    assert (answer["ok"], answer["environment"], answer["plan"]) == (False, "prod", None)
    assert answer["counts"] == {"critical": 0, "high": 1, "medium": 0, "low": 0}
    (one,) = answer["findings"]
    assert one["id"] == "CF-NET-001"
    assert one["where"] == "cloud.network.open_ports.0"
    assert one["line"] > 0
    assert all(one[key] for key in ("severity", "title", "what", "file", "why", "mend", "source"))
    assert (one["accepted"], one["lapsed"]) == (None, None)


def test_what_is_accepted_does_not_fail(folder: Path) -> None:
    """It is shown apart, with until when and why."""
    written(folder, {"cloud": SSH["cloud"] | {"accept": [ACCEPT]}})

    result = run()

    assert result.return_value == 0
    assert "until 9999-12-31: A firewall stands before it" in result.output
    assert result.output.splitlines()[-1].endswith("0 findings; 1 accepted")
    assert asked()["findings"][0]["accepted"]["until"] == "9999-12-31"


def test_what_has_lapsed_fails_and_says_so(folder: Path) -> None:
    """The day is over."""
    written(folder, {"cloud": SSH["cloud"] | {"accept": [ACCEPT | {"until": "2020-01-31"}]}})

    result = run()

    assert result.return_value == 3
    assert "(accepted until 2020-01-31, which is over)" in result.output


def test_any_plan_is_looked_at_without_a_file(folder: Path) -> None:
    """The worst is first, at its address; a clean one is well."""
    result = run("--plan", BROKEN)

    assert result.output.splitlines()[0].split()[:3] == ["critical", "CF-DAT-001", "aws_db_instance.main"]
    known = Path(BROKEN).with_name("findings.txt").read_text().splitlines()
    critical = sum(line.startswith("critical") for line in known)
    assert result.output.splitlines()[-1].startswith(f"{BROKEN}: {len(known)} findings ({critical} critical, ")
    assert result.return_value == 3
    assert run("--plan", CLEAN).return_value == 0


def test_a_plan_beside_a_file_is_looked_at_too(folder: Path) -> None:
    """With -e both are, and the file's environment says how strictly."""
    written(folder, SSH, environment="staging")

    answer = asked("-e", "staging", "--plan", BROKEN)

    assert {one["file"] for one in answer["findings"]} == {"crossfade.yaml", BROKEN}
    assert not [one for one in answer["findings"] if one["id"] == "CF-DAT-006"]  # which only production has


def test_acceptances_for_a_plan_come_from_a_file_of_their_own(folder: Path) -> None:
    """By address, and no other finding is hidden."""
    accept = ACCEPT | {"where": "aws_security_group_rule.*"}
    (folder / "accept.yaml").write_text(yaml.safe_dump({"accept": [accept]}))

    answer = asked("--plan", BROKEN, "--accept", "accept.yaml")

    assert answer["accepted"] == 1
    assert [one["where"] for one in answer["findings"] if one["accepted"]] == ["aws_security_group_rule.ssh"]
    assert [one["where"] for one in answer["findings"] if one["id"] == "CF-NET-001" and not one["accepted"]]


def test_sarif_goes_to_a_file_beside_the_table(folder: Path) -> None:
    """Or to stdout instead of it."""
    written(folder, SSH)

    beside = run("--sarif", "audit.sarif")
    instead = run("--sarif", "-")

    assert "CF-NET-001" in beside.output
    assert json.loads((folder / "audit.sarif").read_text()) == json.loads(instead.output)
    assert (beside.return_value, instead.return_value) == (3, 3)


def test_two_kinds_of_json_cannot_share_stdout(folder: Path) -> None:
    """--json with --sarif - is refused."""
    with pytest.raises(WrongInputError, match="both want stdout"):
        run("--json", "--sarif", "-")


def test_what_is_no_plan_is_refused(folder: Path) -> None:
    """With how to make one."""
    (folder / "plan.json").write_text("{}")
    with pytest.raises(WrongInputError, match="not a plan"):
        run("--plan", "plan.json")


def test_a_plan_without_aws_is_refused(folder: Path) -> None:
    """Nobody looked at anything, so "0 findings" would say too much."""
    cluster = {"address": "google_container_cluster.a", "type": "google_container_cluster", "values": {}}
    plan = {"planned_values": {"root_module": {"resources": [cluster]}}}
    (folder / "plan.json").write_text(json.dumps(plan))

    with pytest.raises(WrongInputError, match=r"nothing in plan\.json is on AWS: its resources are of google"):
        run("--plan", "plan.json")


def test_a_plan_that_is_a_part_of_the_truth_says_so(folder: Path) -> None:
    """In words, in JSON and in SARIF, whatever was found."""
    plan = json.loads(Path(CLEAN).read_text()) | {"complete": False}
    (folder / "plan.json").write_text(json.dumps(plan))

    said = run("--plan", "plan.json", "--sarif", "audit.sarif").output.splitlines()

    sentences = asked("--plan", "plan.json")["incomplete"]
    assert "not complete" in sentences[0]
    assert said[-1 - len(sentences) : -1] == [f"Not all of the truth: {each}" for each in sentences]
    (done,) = json.loads((folder / "audit.sarif").read_text())["runs"][0]["invocations"]
    assert [each["message"]["text"] for each in done["toolExecutionNotifications"]] == [
        f"Not all of the truth: {each}." for each in sentences
    ]
    (unread,) = asked("--plan", CLEAN)["incomplete"]
    assert "policy of aws_s3_bucket_policy.files" in unread, "which names a bucket that does not exist yet"
