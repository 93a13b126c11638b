"""The secrets of an environment in Secrets Manager: filled, and looked at. No value is ever read back."""

import uuid
from dataclasses import dataclass

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.platforms.aws.clients import Clients
from crossfade.platforms.aws.refusals import AwsError, absent
from crossfade.platforms.aws.secrets import current_version

# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html: SecretString
MOST = 65_536


@dataclass(frozen=True, slots=True)
class KnownSecret:
    """What is known of a secret; `version` is empty while it has no value, `there` says that it has been made."""

    name: str
    version: str = ""
    there: bool = True

    @property
    def state(self) -> str:
        if not self.there:
            return "not made"
        return "filled" if self.version else "empty"


class Vault:
    """Secrets by the names that Terraform gives them."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def fill(self, name: str, value: str) -> str:
        """Give a secret a value; the version that holds it. What was pinned before keeps its own.

        WrongInputError for a value that none can have, PlatformError where Terraform has not made the secret.
        """
        size = len(value.encode())
        if not value:
            raise WrongInputError(
                f"the value for {name} is empty", "give it on standard input, or with --from or --command"
            )
        if size > MOST:
            raise WrongInputError(f"the value for {name} has {size:,} bytes", f"a secret holds {MOST:,} at most")
        token = str(uuid.uuid4())  # a call whose answer was lost is the same one again
        try:
            answer = await self._clients.call(
                "secretsmanager", "put_secret_value", SecretId=name, SecretString=value, ClientRequestToken=token
            )
        except AwsError as error:
            if error.code == "ResourceNotFoundException":
                raise PlatformError(
                    *absent(f"secret {name}", await self._clients.whereabouts(), "infra apply")
                ) from None
            raise
        return str(answer["VersionId"])

    async def known(self, name: str) -> KnownSecret:
        try:
            answer = await self._clients.call("secretsmanager", "describe_secret", SecretId=name)
        except AwsError as error:
            if error.code == "ResourceNotFoundException":
                return KnownSecret(name, there=False)
            raise
        return KnownSecret(name, current_version(answer))
