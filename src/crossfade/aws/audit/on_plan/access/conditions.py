"""Conditions of policies: whether one tells who asks, and whether it leaves somebody less than everything."""

import re

from crossfade.aws.audit.ports import is_everybody

Condition = tuple[str, tuple[str, ...]]  # a key in lower-case letters, and its values, any of which will do

# Keys that tell who asks, so that `Principal: *` is not everybody. A tag does not: any account tags its own users.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
_WHO = re.compile(
    r"aws:(?:principal(?:account|arn|orgid|orgpaths|isawsservice|servicename|servicenameslist)"
    r"|source(?:account|arn|orgid|orgpaths|owner|ip|vpc|vpce)|vpce(?:account|orgid|orgpaths)"
    r"|vpcsourceip|userid)|kms:calleraccount|lambda:functionurlauthtype|s3:dataaccesspoint(?:account|arn)"
    r"|elasticfilesystem:accessedviamounttarget"
)
# How or when somebody asks, and what is true of everybody in the account and of everything in it.
_HOW = re.compile(
    r"aws:(?:securetransport|requestedregion|multifactorauth(?:present|age)|currenttime|epochtime|useragent|tokenissuetime"
    r"|referer|principal(?:type|account|orgid)|resource(?:account|orgid))"
)
_ARN_PARTS = 6  # arn:aws:iam::123456789012:role/x
# What anybody's begins with: `*`, o-*, vpc-*, vpce-*; but not o-abc*, which nobody chooses.
_BEGINS_ANYHOW = re.compile(r"(?:(?:o|r|ou|vpc|vpce)-)?[*?].*", re.DOTALL)


def tells_who(key: str) -> bool:
    """Whether a key, in lower-case letters, is about who asks."""
    return _WHO.fullmatch(key) is not None


def keeps_strangers_out(condition: Condition) -> bool:
    """Whether it tells who asks, and not in a way that everybody meets."""
    key, values = condition
    return tells_who(key) and bool(values) and not any(_is_anyone(key, value) for value in values)


def limits(condition: Condition) -> bool:
    """Whether it leaves somebody in the account less: not by how they ask, nor by what is true of all of it."""
    key, values = condition
    return not _HOW.fullmatch(key) and not any(value and not value.strip("*") for value in values)


def _is_anyone(key: str, value: str) -> bool:
    if key == "aws:principalisawsservice":
        return value.lower() != "true"
    if key == "lambda:functionurlauthtype":
        return value == "NONE"
    if value.startswith("arn:"):
        return _of_any_account(value)
    return is_everybody(value) or _BEGINS_ANYHOW.fullmatch(value) is not None


def _of_any_account(arn: str) -> bool:
    """By its account; a bucket has none in its name, and whoever likes makes one whose name begins like another's.

    What an ARN leaves out is anything: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    parts = arn.split(":", _ARN_PARTS - 1)
    account, name = (*parts, *["*"] * (_ARN_PARTS - len(parts)))[-2:]
    telling = account or name.partition("/")[0]
    return "*" in telling or "?" in telling
