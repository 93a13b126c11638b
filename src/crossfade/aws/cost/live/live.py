"""Asking AWS's price list, with the credentials of whoever asks."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from crossfade.aws.cost.live.answer import NoAnswerError, answer
from crossfade.aws.cost.live.question import Question, question
from crossfade.core.errors import PlatformError, WrongInputError

ENDPOINT = "us-east-1"  # one of the few regions that answer, for all regions: https://docs.aws.amazon.com/general/latest/gr/billing.html
_MOST = 100  # products of one answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Prices that AWS has, and why there is none of the others."""

    region: str
    prices: Mapping[str, Decimal] = field(default_factory=dict)
    without: Mapping[str, str] = field(default_factory=dict)


def client() -> Any:
    """A client of botocore for the price list."""
    try:
        from botocore.session import get_session  # type: ignore[import-untyped]  # noqa: PLC0415  needed here alone
    except ImportError as missing:
        raise PlatformError(
            "--live talks to AWS with botocore, which is not installed", "pip install 'crossfade[aws]'"
        ) from missing
    return get_session().create_client("pricing", region_name=ENDPOINT)


def ask(pricing: Any, keys: Iterable[str], region: str) -> Answers:
    """Every key once. WrongInputError without credentials or rights, PlatformError when AWS cannot be asked."""
    prices: dict[str, Decimal] = {}
    without: dict[str, str] = {}
    for key in dict.fromkeys(keys):
        asked = question(key, region)
        if asked is None:
            without[key] = "nobody here knows how to ask for it"
            continue
        try:
            prices[key] = answer(asked, list(_products(pricing, asked)))
        except NoAnswerError as why:
            without[key] = str(why)
    return Answers(region=region, prices=prices, without=without)


def _products(pricing: Any, asked: Question) -> Iterator[str]:
    wanted = {"ServiceCode": asked.service, "Filters": asked.filters, "FormatVersion": "aws_v1", "MaxResults": _MOST}
    more: Mapping[str, Any] = {}
    while True:
        with _errors_told():
            page = pricing.get_products(**wanted, **more)
        yield from page.get("PriceList", ())
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}


@contextmanager
def _errors_told() -> Iterator[None]:
    from botocore.exceptions import (  # type: ignore[import-untyped]  # noqa: PLC0415
        BotoCoreError,
        ClientError,
        NoCredentialsError,
        PartialCredentialsError,
    )

    try:
        yield
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise WrongInputError(
            f"AWS's price list cannot be asked: {error}", "name a profile with AWS_PROFILE, or leave out --live"
        ) from error
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in {"AccessDeniedException", "UnrecognizedClientException", "ExpiredTokenException"}:
            raise WrongInputError(
                f"AWS's price list does not answer these credentials: {error.response['Error'].get('Message', code)}",
                "they need pricing:GetProducts; name others with AWS_PROFILE",
            ) from error
        raise PlatformError(f"AWS's price list: {error}", "try again, or leave out --live") from error
    except BotoCoreError as error:
        raise PlatformError(f"AWS's price list cannot be reached: {error}", "try again, or leave out --live") from error
