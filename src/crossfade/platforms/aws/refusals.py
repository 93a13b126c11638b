"""AWS's refusals, each as one sentence with its way out."""

import re
from dataclasses import dataclass
from http import HTTPStatus

from crossfade.core.errors import PlatformError

_MAY_NOT = re.compile(r"not authorized to perform:? (?P<action>[\w-]+:\w+)(?: on resource:? (?P<resource>\S+))?")


class AwsError(PlatformError):
    """`code` is AWS's word for it, empty where no answer came; `again`: it may pass while one waits."""

    def __init__(
        self, cause: str, way_out: str = "", *, code: str = "", again: bool = False, lasting: bool = False
    ) -> None:
        super().__init__(cause, way_out)
        self.code, self.again, self.lasting = code, again, lasting


@dataclass(frozen=True, slots=True)
class _Kind:
    """`cause` may have `{asked}`, the service and its operation, and `{said}`, AWS's own words.

    What is not to be tried again lasts until somebody does something about it.
    """

    words: frozenset[str]  # codes of AWS, or names of botocore's exceptions
    cause: str
    way_out: str
    again: bool = False


_KINDS = (
    _Kind(
        frozenset(
            {
                "PriorRequestNotComplete",
                "ProvisionedThroughputExceededException",
                "RequestLimitExceeded",
                "RequestThrottled",
                "RequestThrottledException",
                "SlowDown",
                "ThrottledException",
                "Throttling",
                "ThrottlingException",
                "TooManyRequestsException",
            }
        ),
        "AWS gets too many calls from this account at once and refuses {asked}",
        "wait a minute and try again",
        again=True,
    ),
    _Kind(
        # Of DynamoDB: a line of the journal is checked while its lease is renewed, or the same call was made twice.
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
        frozenset({"TransactionConflictException", "TransactionInProgressException"}),
        "AWS is still busy with another call about the same thing and refuses {asked}",
        "do it again",
        again=True,
    ),
    _Kind(
        frozenset({"InternalError", "InternalFailure", "InternalServerError", "ServerException", "ServiceUnavailable"}),
        "AWS is in trouble with {asked}: {said}",
        "try again; https://health.aws.amazon.com may know more",
        again=True,
    ),
    _Kind(
        frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"}),
        "the credentials for AWS have expired",
        "log in again: `aws sso login`, or a new session of your role",
    ),
    _Kind(
        frozenset({"AuthFailure", "InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException"}),
        "AWS does not know these credentials: {said}",
        "set AWS_PROFILE to one that `aws sts get-caller-identity` takes",
    ),
    _Kind(
        frozenset({"LimitExceeded", "LimitExceededException", "ServiceQuotaExceededException"}),
        "a quota of this account is reached with {asked}: {said}",
        "have it raised in Service Quotas, or free some of it",
    ),
    _Kind(
        frozenset({"CredentialRetrievalError", "NoCredentialsError", "PartialCredentialsError"}),
        "there are no credentials for AWS: {said}",
        "set AWS_PROFILE, or log in with `aws sso login`",
    ),
    _Kind(
        frozenset({"ProfileNotFound", "SSOTokenLoadError", "TokenRetrievalError", "UnauthorizedSSOTokenError"}),
        "the profile for AWS cannot be used: {said}",
        "set AWS_PROFILE to one of yours, and log in with `aws sso login`",
    ),
    _Kind(frozenset({"NoRegionError"}), "no region of AWS is named", "name it in the file: `cloud: {{region: ...}}`"),
)
_ILL = _KINDS[2]
_SILENT = _Kind(
    frozenset(), "AWS gave no answer to {asked}: {said}", "check whether this machine can reach it", again=True
)
_RIGHTS_OF = {"elbv2": "elasticloadbalancing"}  # where IAM calls a service otherwise
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedException", "UnauthorizedOperation"}


def worded(service: str, operation: str, error: Exception) -> AwsError:
    """An exception of botocore's, of whatever kind."""
    asked = f"{service} {_title(operation)}".strip()
    response = getattr(error, "response", None)
    if response is None:  # it was not asked, or said nothing
        kind = _kind(type(error).__name__) or _SILENT
        return _error(kind, asked, str(error), "")
    code, said = str(response.get("Error", {}).get("Code", "")), str(response.get("Error", {}).get("Message", ""))
    if code in _DENIED:
        return _denied(asked, said, code)
    broken = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= HTTPStatus.INTERNAL_SERVER_ERROR
    known = _kind(code) or (_ILL if broken else None)
    return _error(known, asked, said, code) if known else AwsError(f"{asked}: {said or code}".rstrip("."), code=code)


def absent(what: str, where: str, command: str) -> tuple[str, str]:
    """Cause and way out of what `command` makes and is not there, or somewhere else: of another account or region."""
    way_out = (
        f"`crossfade {command}` makes it; if it has, set AWS_PROFILE or `cloud: {{region: ...}}` to where that was"
    )
    return f"there is no {what} in {where}", way_out


def _kind(word: str) -> _Kind | None:
    return next((kind for kind in _KINDS if word in kind.words), None)


def _error(kind: _Kind, asked: str, said: str, code: str) -> AwsError:
    cause = kind.cause.format(asked=asked, said=said.strip().rstrip("."))
    return AwsError(cause, kind.way_out.format(), code=code, again=kind.again, lasting=not kind.again)


def _denied(asked: str, said: str, code: str) -> AwsError:
    found = _MAY_NOT.search(said)
    service, _, operation = asked.partition(" ")
    action = found["action"] if found else f"{_RIGHTS_OF.get(service, service)}:{operation}"
    where = f" on {found['resource'].rstrip('.')}" if found and found["resource"] else ""
    return AwsError(
        f"these credentials may not {action}{where}",
        "give their role that right: `crossfade infra rights` prints all that a deploy takes",
        code=code,
        lasting=True,
    )


def _title(operation: str) -> str:
    """`describe_clusters` as AWS writes it."""
    return "".join(part.capitalize() for part in operation.split("_"))
