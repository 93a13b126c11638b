"""A client of AWS by botocore, with its errors in our words. Only `question` imports it, once somebody asks."""

from typing import Any

from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import (  # type: ignore[import-untyped]
    BotoCoreError,
    ClientError,
    ConfigNotFound,
    ConfigParseError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.session import get_session  # type: ignore[import-untyped]

from crossfade.core.errors import CrossfadeError, PlatformError, WrongInputError

ERRORS = (BotoCoreError, ClientError)
_NOBODY = (
    *(NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, SSOError, TokenRetrievalError),
    *(ProfileNotFound, ConfigNotFound, ConfigParseError),
)
# What AWS says when it is not the question that is wrong, but who asks.
_WHO = (
    *("AccessDenied", "AccessDeniedException", "UnrecognizedClientException", "ExpiredToken", "ExpiredTokenException"),
    *("InvalidSignatureException", "SignatureDoesNotMatch", "InvalidClientTokenId", "IncompleteSignatureException"),
    *("MissingAuthenticationToken", "MissingAuthenticationTokenException"),
)


def client(service: str, region: str) -> Any:
    # As long as a person waits: the answers are many, but small.
    patience = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 5})
    return get_session().create_client(service, region_name=region, config=patience)


def told(error: Exception, what: str, rights: str, option: str) -> CrossfadeError:
    """The error as a person reads it, with the way out."""
    if isinstance(error, _NOBODY):
        return WrongInputError(
            f"{what} cannot be asked: {error}", f"name a profile with AWS_PROFILE, or leave out {option}"
        )
    if not isinstance(error, ClientError):
        return PlatformError(f"{what} cannot be reached: {error}", f"try again, or leave out {option}")
    said = error.response["Error"]
    if said["Code"] in _WHO:
        return WrongInputError(
            f"{what} does not answer these credentials: {said.get('Message', said['Code'])}",
            f"they need {rights}; name others with AWS_PROFILE",
        )
    return PlatformError(f"{what}: {error}", f"try again, or leave out {option}")
