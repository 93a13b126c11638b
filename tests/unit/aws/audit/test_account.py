"""The account itself, as botocore's own model of IAM's answers has it."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from click.testing import CliRunner

from crossfade.aws.audit.account import Account, asked, audit_account
from crossfade.aws.question import AwsQuestion
from crossfade.cli.main import crossfade
from crossfade.core.errors import PlatformError, WrongInputError

DAY = date(2026, 11, 28)
STRONG = {
    "MinimumPasswordLength": 14,
    "RequireSymbols": True,
    "RequireNumbers": True,
    "RequireUppercaseCharacters": True,
    "RequireLowercaseCharacters": True,
    "PasswordReusePrevention": 24,
}
HEAD = (
    *("user", "arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed"),
    *("password_next_rotation", "mfa_active", "access_key_1_active", "access_key_1_last_rotated"),
    *("access_key_1_last_used_date", "access_key_1_last_used_region", "access_key_1_last_used_service"),
    *("access_key_2_active", "access_key_2_last_rotated", "access_key_2_last_used_date"),
    *("access_key_2_last_used_region", "access_key_2_last_used_service", "cert_1_active", "cert_2_active"),
)
ROOT = {"user": "<root_account>", "arn": "arn:aws:iam::123456789012:root", "password_enabled": "not_supported"}


def row(user: str, **told: str) -> dict[str, str]:
    """A line of the report; what is not said is as AWS writes it when there is nothing."""
    made = {"user_creation_time": "2026-01-02T03:04:05+00:00", "mfa_active": "true", "password_enabled": "false"}
    no = {f"access_key_{number}_active": "false" for number in (1, 2)}
    return {**dict.fromkeys(HEAD, "N/A"), **made, **no, "user": user, "arn": f"arn:aws:iam::1:user/{user}", **told}


@contextmanager
def iam(
    *users: dict[str, str], rules: dict[str, Any] | None = None, root_mfa: int = 1, root_keys: int = 0, late: int = 0
) -> Iterator[Any]:
    """A client whose parameters and answers are checked against AWS's own model; `late`: so often it still writes."""
    session = pytest.importorskip("botocore.session").get_session()
    stub = pytest.importorskip("botocore.stub")
    session.set_credentials("test", "test")
    client = session.create_client("iam", region_name="us-east-1")
    text = io.StringIO()
    writer = csv.DictWriter(text, HEAD)
    writer.writeheader()
    writer.writerows([{**row("x"), **ROOT}, *users])
    with stub.Stubber(client) as stubbed:
        summary = {"AccountMFAEnabled": root_mfa, "AccountAccessKeysPresent": root_keys}
        stubbed.add_response("get_account_summary", {"SummaryMap": summary})
        if rules is None:
            stubbed.add_client_error("get_account_password_policy", "NoSuchEntity")
        else:
            policy = {"MinimumPasswordLength": 8, "AllowUsersToChangePassword": True, **rules}
            stubbed.add_response("get_account_password_policy", {"PasswordPolicy": policy})
        for _ in range(late):
            stubbed.add_response("generate_credential_report", {"State": "STARTED"})
        stubbed.add_response("generate_credential_report", {"State": "COMPLETE"})
        stubbed.add_response("get_credential_report", {"Content": text.getvalue().encode(), "ReportFormat": "text/csv"})
        yield client


def found(account: Account) -> list[str]:
    return [f"{one.severity} {one.rule.id} {one.where}: {one.what}" for one in audit_account(account, DAY)]


def looked_at(*users: dict[str, str], **how: Any) -> list[str]:
    with iam(*users, **how) as client:
        return found(asked(client))


def test_an_account_in_order_has_no_findings() -> None:
    """Root with a second factor and no keys, strong passwords, all of it used."""
    ann = row(
        "ann",
        password_enabled="true",
        password_last_used="2026-11-20T00:00:00+00:00",
        access_key_1_active="true",
        access_key_1_last_rotated="2026-10-01T00:00:00+00:00",
        access_key_1_last_used_date="2026-11-27T00:00:00+00:00",
    )
    assert looked_at(ann, rules=STRONG) == []


def test_root_needs_a_second_factor_and_no_key() -> None:
    """Both are critical wherever it is."""
    assert looked_at(root_mfa=0, root_keys=1) == [
        "critical CF-ACC-004 root: the root user signs in with a password alone",
        "critical CF-ACC-005 root: the root user has an access key",
    ]


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (None, "no rules of its own: 8 characters are enough"),
        ({**STRONG, "MinimumPasswordLength": 8}, "8 characters are enough"),
        ({**STRONG, "RequireSymbols": False, "PasswordReusePrevention": 1}, "no symbols are asked for"),
        ({key: value for key, value in STRONG.items() if "Reuse" not in key}, "an old one may come again"),
    ],
)
def test_weak_passwords_are_taken_only_where_there_are_any(rules: dict[str, Any] | None, said: str) -> None:
    """Of an account whose people sign in elsewhere nobody asks for rules."""
    ann = row("ann", password_enabled="true", password_last_used="2026-11-20T00:00:00+00:00")
    assert looked_at(ann, rules=rules) == [f"medium CF-ACC-006 passwords: {said}"]
    assert looked_at(row("robot"), rules=rules) == []


def test_what_nobody_used_for_90_days_is_found() -> None:
    """Passwords and keys; what was never used counts from the day on which it was made."""
    ann = row("ann", password_enabled="true", password_last_used="no_information")
    robot = row(
        "robot",
        access_key_1_active="true",
        access_key_1_last_rotated="2026-11-01T00:00:00+00:00",
        access_key_1_last_used_date="N/A",
        access_key_2_active="true",
        access_key_2_last_rotated="2026-08-01T00:00:00+00:00",
        access_key_2_last_used_date="2026-08-30T00:00:00+00:00",
    )
    assert looked_at(ann, robot, rules=STRONG) == [
        "medium CF-ACC-007 user/ann: its password was not used for 330 days",
        "medium CF-ACC-007 user/robot: its access key 2 was not used for 90 days",
        "medium CF-ACC-008 user/robot: its access key 2 is 119 days old",
    ]


def test_people_sign_in_with_a_second_factor() -> None:
    """Who has only keys has no password to be guessed."""
    ann = row("ann", password_enabled="true", password_last_used="2026-11-20T00:00:00+00:00", mfa_active="false")
    assert looked_at(ann, row("robot", mfa_active="false"), rules=STRONG) == [
        "medium CF-ACC-009 user/ann: signs in with a password alone"
    ]


def test_a_report_that_is_being_written_is_waited_for() -> None:
    """AWS takes its time; it is asked again, and not for ever."""
    waits: list[float] = []
    with iam(late=2) as client:
        assert asked(client, waits.append).number == "123456789012"
    assert len(waits) == 2
    with iam(late=30) as client, pytest.raises(PlatformError, match="has not written the credential report"):
        asked(client, waits.append)


def test_who_may_not_ask_is_told_which_rights_it_takes() -> None:
    """One sentence, and what to do."""
    session = pytest.importorskip("botocore.session").get_session()
    session.set_credentials("test", "test")
    client = session.create_client("iam", region_name="us-east-1")
    with pytest.importorskip("botocore.stub").Stubber(client) as stubbed:
        stubbed.add_client_error("get_account_summary", "AccessDenied", "not authorized")
        with pytest.raises(WrongInputError) as error:
            asked(client)
    assert error.value.cause == "the account does not answer these credentials: not authorized"
    assert "iam:GetAccountSummary" in error.value.way_out


def test_the_verb_asks_needs_no_file_and_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 3, and the account is named."""
    with iam(root_mfa=0) as client:
        monkeypatch.setattr(AwsQuestion, "client", lambda *_: client)
        done = CliRunner().invoke(crossfade, ["audit", "--account"], standalone_mode=False)
    assert done.return_value == 3, done.exception
    assert done.output.splitlines()[-1] == "account 123456789012: 1 finding (1 critical)"
