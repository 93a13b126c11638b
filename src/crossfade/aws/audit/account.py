"""The account itself: what only AWS knows, asked with the credentials of whoever looks, and what is dangerous in it.

Who may act comes from IAM's credential report: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html.
"""

import csv
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from crossfade.aws.audit.finding import Finding, Mark
from crossfade.aws.audit.limits import LEAST_PASSWORD
from crossfade.aws.audit.rule import rules
from crossfade.aws.question import AwsQuestion
from crossfade.core.errors import PlatformError
from crossfade.file.reading.problem import Position

ACCOUNT = AwsQuestion(
    what="the account",
    rights="iam:GetAccountSummary, GetAccountPasswordPolicy, GenerateCredentialReport and GetCredentialReport",
    option="--account",
)
UNUSED = OLD = 90  # days
_ROOT = "<root_account>"
_WAITS, _TRIES = 2.0, 30  # seconds, for AWS to write the report
_KINDS = {
    "RequireUppercaseCharacters": "capitals",
    "RequireLowercaseCharacters": "lower-case letters",
    "RequireNumbers": "digits",
    "RequireSymbols": "symbols",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An access key that is active. `used` None: never."""

    number: int
    made: date | None
    used: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IamUser:
    """Somebody who may sign in, with a password or with keys. `used` is when the password was, None: never."""

    name: str
    made: date | None
    password: bool
    used: date | None
    mfa: bool
    keys: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """`rules` of passwords are None where the account has none of its own."""

    number: str
    root_mfa: bool
    root_keys: int
    rules: Mapping[str, Any] | None
    users: tuple[IamUser, ...] = ()


def asked(iam: Any = None, wait: Callable[[float], None] = time.sleep) -> Account:
    """What AWS says of the account. WrongInputError without credentials or rights, PlatformError without an answer."""
    client = iam or ACCOUNT.client("iam", "us-east-1")
    with ACCOUNT.errors_told():
        summary = client.get_account_summary()["SummaryMap"]
        try:
            policy = client.get_account_password_policy()["PasswordPolicy"]
        except client.exceptions.NoSuchEntityException:
            policy = None
        rows = list(csv.DictReader(_report(client, wait).decode().splitlines()))
    root = next((row for row in rows if row["user"] == _ROOT), {})
    return Account(
        number=root.get("arn", "::::").split(":")[4],
        root_mfa=bool(summary.get("AccountMFAEnabled")),
        root_keys=int(summary.get("AccountAccessKeysPresent", 0)),
        rules=policy,
        users=tuple(_user(row) for row in rows if row["user"] != _ROOT),
    )


def audit_account(account: Account, day: date) -> Iterator[Finding]:
    """What is dangerous in it on `day`."""
    for id_, check in OF_ASKED.items():
        for mark in check(account, day):
            place = Position(called(account), 1, 1, (mark.address,))
            rule = rules()[id_]
            yield Finding(rule=rule, severity=rule.severity, what=mark.what, where=mark.address, place=place)


def called(account: Account) -> str:
    return f"account {account.number}".rstrip()


def _report(client: Any, wait: Callable[[float], None]) -> bytes:
    for _ in range(_TRIES):
        if client.generate_credential_report()["State"] == "COMPLETE":
            return bytes(client.get_credential_report()["Content"])
        wait(_WAITS)
    raise PlatformError("AWS has not written the credential report within a minute", "try again later")


def _user(row: Mapping[str, str]) -> IamUser:
    keys = (
        Key(
            number=number,
            made=_day(row[f"access_key_{number}_last_rotated"]),
            used=_day(row[f"access_key_{number}_last_used_date"]),
        )
        for number in (1, 2)
        if _yes(row, f"access_key_{number}_active")
    )
    return IamUser(
        name=row["user"],
        made=_day(row["user_creation_time"]),
        password=_yes(row, "password_enabled"),
        used=_day(row["password_last_used"]),
        mfa=_yes(row, "mfa_active"),
        keys=tuple(keys),
    )


def _yes(row: Mapping[str, str], key: str) -> bool:
    return row[key] == "true"


def _day(text: str) -> date | None:
    """None for what the report has instead of a time: N/A, no_information, not_supported."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).date()
    except ValueError:
        return None


def _root_without_mfa(account: Account, _: date) -> Iterator[Mark]:
    if not account.root_mfa:
        yield Mark("root", "the root user signs in with a password alone")


def _root_with_keys(account: Account, _: date) -> Iterator[Mark]:
    if account.root_keys:
        yield Mark("root", "the root user has an access key")


def _weak_passwords(account: Account, _: date) -> Iterator[Mark]:
    if not any(user.password for user in account.users):
        return
    if account.rules is None:
        yield Mark("passwords", "no rules of its own: 8 characters are enough")
        return
    least = int(account.rules.get("MinimumPasswordLength", 0))
    lacks = [f"{least} characters are enough"] if least < LEAST_PASSWORD else []
    lacks += [f"no {words} are asked for" for key, words in _KINDS.items() if not account.rules.get(key)]
    if not account.rules.get("PasswordReusePrevention"):
        lacks.append("an old one may come again")
    if lacks:
        yield Mark("passwords", ", ".join(lacks))


def _unused(account: Account, day: date) -> Iterator[Mark]:
    """What was never used counts from when it was made."""
    for user in account.users:
        last = user.used or user.made
        if user.password and last and (day - last).days >= UNUSED:
            yield Mark(f"user/{user.name}", f"its password was not used for {(day - last).days} days")
        for key in user.keys:
            last = key.used or key.made
            if last and (day - last).days >= UNUSED:
                yield Mark(
                    f"user/{user.name}", f"its access key {key.number} was not used for {(day - last).days} days"
                )


def _old_keys(account: Account, day: date) -> Iterator[Mark]:
    for user in account.users:
        for key in user.keys:
            if key.made and (day - key.made).days >= OLD:
                yield Mark(f"user/{user.name}", f"its access key {key.number} is {(day - key.made).days} days old")


def _without_mfa(account: Account, _: date) -> Iterator[Mark]:
    for user in account.users:
        if user.password and not user.mfa:
            yield Mark(f"user/{user.name}", "signs in with a password alone")


OF_ASKED: Mapping[str, Callable[[Account, date], Iterator[Mark]]] = {
    "CF-ACC-004": _root_without_mfa,
    "CF-ACC-005": _root_with_keys,
    "CF-ACC-006": _weak_passwords,
    "CF-ACC-007": _unused,
    "CF-ACC-008": _old_keys,
    "CF-ACC-009": _without_mfa,
}
