"""The account that an environment belongs to, where its file says so."""

from crossfade.core.errors import WrongInputError


def require_owner(found: str, account: str | None) -> None:
    """WrongInputError where credentials are of account `found`, and the file names another one."""
    if account and found != account:
        raise WrongInputError(
            f"these credentials belong to account {found}, and the file's `cloud: account` is {account}",
            "set AWS_PROFILE to one of that account",
        )
