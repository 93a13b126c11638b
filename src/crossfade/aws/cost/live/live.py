"""Asking AWS's price list, with the credentials of whoever asks."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from crossfade.aws.cost.live.answer import NoAnswerError, answer
from crossfade.aws.cost.live.question import PriceQuestion, question
from crossfade.aws.question import AwsQuestion

ENDPOINT = "us-east-1"  # one of the few regions that answer, for all regions: https://docs.aws.amazon.com/general/latest/gr/billing.html
PRICE_LIST = AwsQuestion(what="AWS's price list", rights="pricing:GetProducts", option="--live")
_MOST = 100  # products of one answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Prices that AWS has, and why there is none of the others."""

    region: str
    prices: Mapping[str, Decimal] = field(default_factory=dict)
    without: Mapping[str, str] = field(default_factory=dict)


def client() -> Any:
    """A client of botocore for the price list. WrongInputError for a profile that is not there."""
    return PRICE_LIST.client("pricing", ENDPOINT)


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


def _products(pricing: Any, asked: PriceQuestion) -> Iterator[str]:
    wanted = {"ServiceCode": asked.service, "Filters": asked.filters, "FormatVersion": "aws_v1", "MaxResults": _MOST}
    more: Mapping[str, Any] = {}
    while True:
        with PRICE_LIST.errors_told():
            page = pricing.get_products(**wanted, **more)
        yield from page.get("PriceList", ())
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}
