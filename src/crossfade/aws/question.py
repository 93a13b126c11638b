"""A question to AWS itself, with the credentials of whoever asks: files and plans are looked at without any."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from crossfade.core.errors import PlatformError


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsQuestion:
    """Something of AWS's: as a sentence calls it, the rights that it takes, and the option that asks it."""

    what: str
    rights: str
    option: str

    def client(self, service: str, region: str) -> Any:
        """A client of botocore. WrongInputError for a profile that is not there."""
        with self.errors_told():
            return self._botocore().client(service, region)

    @contextmanager
    def errors_told(self) -> Iterator[None]:
        """WrongInputError without credentials or rights, PlatformError when AWS cannot be asked."""
        botocore = self._botocore()
        try:
            yield
        except botocore.ERRORS as error:
            raise botocore.told(error, self.what, self.rights, self.option) from error

    def _botocore(self) -> Any:
        """The module that talks to AWS, which takes a second to import and may not be installed."""
        try:
            from crossfade.aws import client  # noqa: PLC0415  for whoever asks
        except ImportError as missing:
            raise PlatformError(
                f"{self.option} talks to AWS with botocore, which is not installed", "pip install 'crossfade[aws]'"
            ) from missing
        return client
