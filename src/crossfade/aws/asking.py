"""Asking AWS itself, with the credentials of whoever asks: what looks at files and plans does it only when told to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from crossfade.core.errors import PlatformError, WrongInputError

# What AWS says when it is not the question that is wrong, but who asks.
_WHO = (
    *("AccessDenied", "AccessDeniedException", "UnrecognizedClientException", "ExpiredToken", "ExpiredTokenException"),
    *("InvalidSignatureException", "SignatureDoesNotMatch", "InvalidClientTokenId", "IncompleteSignatureException"),
    *("MissingAuthenticationToken", "MissingAuthenticationTokenException"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Something of AWS's: as a sentence calls it, the rights that it takes, and the option that asks it."""

    what: str
    rights: str
    option: str

    def client(self, service: str, region: str) -> Any:
        """A client of botocore. WrongInputError for a profile that is not there."""
        try:
            from botocore.config import Config  # type: ignore[import-untyped]  # noqa: PLC0415  for who asks
            from botocore.session import get_session  # type: ignore[import-untyped]  # noqa: PLC0415
        except ImportError as missing:
            raise PlatformError(
                f"{self.option} talks to AWS with botocore, which is not installed", "pip install 'crossfade[aws]'"
            ) from missing
        # As long as a person waits: the answers are many, but small.
        patience = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 5})
        with self.errors_told():
            return get_session().create_client(service, region_name=region, config=patience)

    @contextmanager
    def errors_told(self) -> Iterator[None]:
        """WrongInputError without credentials or rights, PlatformError when AWS cannot be asked."""
        from botocore.exceptions import (  # type: ignore[import-untyped]  # noqa: PLC0415
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

        no_one = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, SSOError, TokenRetrievalError)
        try:
            yield
        except (*no_one, ProfileNotFound, ConfigNotFound, ConfigParseError) as error:
            raise WrongInputError(
                f"{self.what} cannot be asked: {error}", f"name a profile with AWS_PROFILE, or leave out {self.option}"
            ) from error
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _WHO:
                raise WrongInputError(
                    f"{self.what} does not answer these credentials: {error.response['Error'].get('Message', code)}",
                    f"they need {self.rights}; name others with AWS_PROFILE",
                ) from error
            raise PlatformError(f"{self.what}: {error}", f"try again, or leave out {self.option}") from error
        except BotoCoreError as error:
            raise PlatformError(
                f"{self.what} cannot be reached: {error}", f"try again, or leave out {self.option}"
            ) from error
