"""Prices asked of AWS's price list, against answers in its own shape."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.unit.aws.cost.bills import made, of

from crossfade.aws.cost.live.answer import NoAnswerError, answer
from crossfade.aws.cost.live.keep import keep
from crossfade.aws.cost.live.live import Answers, ask
from crossfade.aws.cost.live.live import client as connect
from crossfade.aws.cost.live.question import question, rows
from crossfade.aws.cost.prices.book import own
from crossfade.aws.cost.prices.keys import unknown
from crossfade.cli.aws.cost.live import asked
from crossfade.core.errors import PlatformError, WrongInputError

DAY = date(2026, 11, 28)
REGION = "ap-northeast-2"
# A part of a product of the price list, as GetProducts returns it: a JSON text each.
_RATE = "JRTCKXETXF.6YS6EN2CT7"


def product(usage: str, *tiers: tuple[str, str], **attributes: str) -> str:
    dimensions = {
        f"{_RATE}.{index}": {
            "unit": "Hrs",
            "beginRange": begin,
            "endRange": "Inf",
            "appliesTo": [],
            "rateCode": f"{_RATE}.{index}",
            "pricePerUnit": {"USD": usd},
        }
        for index, (begin, usd) in enumerate(tiers)
    }
    term = {"priceDimensions": dimensions, "sku": "X", "effectiveDate": "2026-11-01T00:00:00Z", "termAttributes": {}}
    return json.dumps(
        {
            "product": {"productFamily": "any", "attributes": {"usagetype": usage, **attributes}, "sku": "X"},
            "serviceCode": "any",
            "terms": {"OnDemand": {"X.JRTCKXETXF": term}},
            "version": "20261101000000",
            "publicationDate": "2026-11-01T00:00:00Z",
        }
    )


@contextmanager
def pricing() -> Iterator[tuple[Any, Any]]:
    """A client of botocore whose parameters and answers are checked against AWS's own model."""
    session = pytest.importorskip("botocore.session").get_session()
    stub = pytest.importorskip("botocore.stub")
    session.set_credentials("test", "test")
    client = session.create_client("pricing", region_name="us-east-1")
    with stub.Stubber(client) as stubbed:
        yield client, stubbed
        stubbed.assert_no_pending_responses()


def wanted(key: str, **more: Any) -> Mapping[str, Any]:
    """The parameters that a key is asked with."""
    to_ask = question(key, REGION)
    assert to_ask is not None
    fixed = {"FormatVersion": "aws_v1", "MaxResults": 100}
    return {"ServiceCode": to_ask.service, "Filters": to_ask.filters, **fixed, **more}


def test_a_price_is_asked_for_by_its_product() -> None:
    """A class of EC2 is asked for with everything that makes it one price, in the region that is meant."""
    to_ask = question("ec2.hour.m7i.large", REGION)
    assert to_ask is not None
    assert to_ask.service == "AmazonEC2"
    assert {each["Field"]: each["Value"] for each in to_ask.filters} == {
        "instanceType": "m7i.large",
        "operatingSystem": "Linux",
        "tenancy": "Shared",
        "preInstalledSw": "NA",
        "capacitystatus": "Used",
        "regionCode": REGION,
    }


@pytest.mark.parametrize(
    ("key", "where"),
    [
        ("rds.hour.postgres.multi.db.t4g.micro", {"databaseEngine": "PostgreSQL", "deploymentOption": "Multi-AZ"}),
        ("elasticache.hour.valkey.cache.t4g.micro", {"cacheEngine": "Valkey", "instanceType": "cache.t4g.micro"}),
        ("rds.gb-month.gp3.single", {"volumeType": "General Purpose-GP3", "deploymentOption": "Single-AZ"}),
    ],
)
def test_parts_of_a_key_become_aws_words(key: str, where: dict[str, str]) -> None:
    """What stands in a key is asked for as the price list calls it."""
    to_ask = question(key, REGION)
    assert to_ask is not None
    assert where.items() <= to_ask.where.items()


@pytest.mark.parametrize("key", ["guardduty.month", "rds.hour.oracle-se2.single.db.t3.large", "ec2.spot-hour.t3.micro"])
def test_what_nobody_can_ask_for_is_no_question(key: str) -> None:
    """A price that the table does not have is not guessed."""
    assert question(key, REGION) is None
    assert ask(None, [key], REGION).without == {key: "nobody here knows how to ask for it"}


def test_an_answer_is_the_price_of_the_usage_that_is_meant() -> None:
    """Of the products that come back, the one with the right usage type counts; its region's letters do not."""
    key = "nat.hour"
    with pricing() as (client, stubbed):
        page = [
            product("APN2-NatGateway-Bytes", ("0", "0.0590000000")),
            product("APN2-NatGateway-Hours", ("0", "0.0600000000")),
        ]
        stubbed.add_response("get_products", {"FormatVersion": "aws_v1", "PriceList": page}, wanted(key))
        assert ask(client, [key, key], REGION).prices == {key: Decimal("0.06")}


def test_answers_go_on_over_pages() -> None:
    """A second page is asked for with the token of the first."""
    key = "nat.hour"
    with pricing() as (client, stubbed):
        stubbed.add_response("get_products", {"PriceList": [], "NextToken": "more"}, wanted(key))
        page = {"PriceList": [product("APN2-NatGateway-Hours", ("0", "0.059"))]}
        stubbed.add_response("get_products", page, wanted(key, NextToken="more"))
        assert ask(client, [key], REGION).prices == {key: Decimal("0.059")}


def test_a_unit_of_ours_may_be_many_of_aws() -> None:
    """AWS has the price of one request, the book that of a thousand; no digit is lost between."""
    key = "s3.put-1k"
    with pricing() as (client, stubbed):
        page = {"PriceList": [product("APN2-Requests-Tier1", ("0", "0.0000045000"))]}
        stubbed.add_response("get_products", page, wanted(key))
        assert ask(client, [key], REGION).prices == {key: Decimal("0.0045")}


def test_the_first_tier_that_costs_something_counts() -> None:
    """What is free at first costs what comes after."""
    to_ask = question("dynamodb.rcu-hour", REGION)
    assert to_ask is not None
    page = [product("APN2-ReadCapacityUnit-Hrs", ("18600", "0.0001469"), ("0", "0.0"))]
    assert answer(to_ask, page) == Decimal("0.0001469")


@pytest.mark.parametrize(
    ("page", "why"),
    [
        ([], "has nothing that fits"),
        ([product("APN2-NatGateway-Hours", ("0", "0"))], "has nothing that fits"),
        (
            [product("NatGateway-Hours", ("0", "1")), product("APN2-NatGateway-Hours", ("0", "2"))],
            "has 2 prices that fit",
        ),
    ],
)
def test_an_answer_that_is_not_one_price_is_none(page: list[str], why: str) -> None:
    """Nothing, or several, is unknown and says why; nothing is picked at random."""
    to_ask = question("nat.hour", REGION)
    assert to_ask is not None
    with pytest.raises(NoAnswerError, match=why):
        answer(to_ask, page)


@pytest.mark.parametrize(
    ("code", "error", "said"),
    [
        ("AccessDeniedException", WrongInputError, "does not answer these credentials"),
        ("ExpiredTokenException", WrongInputError, "does not answer these credentials"),
        ("InvalidSignatureException", WrongInputError, "does not answer these credentials"),
        ("ThrottlingException", PlatformError, "AWS's price list"),
        ("InternalErrorException", PlatformError, "AWS's price list"),
    ],
)
def test_a_refusal_is_one_clear_error(code: str, error: type[Exception], said: str) -> None:
    """What AWS refuses is one sentence with the way out."""
    with pricing() as (client, stubbed):
        stubbed.add_client_error("get_products", code, "no")
        with pytest.raises(error, match=said):
            ask(client, ["nat.hour"], REGION)


def test_without_credentials_there_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody's credentials are no traceback: the error names a profile, and that --live can be left out."""
    session = pytest.importorskip("botocore.session").get_session()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    client = session.create_client("pricing", region_name="us-east-1")
    with pytest.raises(WrongInputError, match="cannot be asked") as error:
        ask(client, ["nat.hour"], REGION)
    assert "--live" in error.value.way_out


def test_a_profile_that_is_not_there_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is found out before anything is asked, and is no traceback either."""
    pytest.importorskip("botocore.session")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(WrongInputError, match=r"cannot be asked: The config profile \(nobody\)"):
        connect()


def test_answers_are_kept_beside_what_a_team_wrote(tmp_path: Path) -> None:
    """A book keeps its comments and prices and gets the answers, with the day on which they were asked for."""
    path = tmp_path / "prices.yaml"
    path.write_text("name: ours # with a discount\nprices:\n  alb.hour: 0.02  # agreed\n")
    keep(path, Answers(region=REGION, prices={"nat.hour": Decimal("0.059")}), DAY)
    book = own(path)
    assert (book.price("alb.hour").usd, book.price("nat.hour").usd) == (Decimal("0.02"), Decimal("0.059"))
    assert book.price("nat.hour").source == "AWS price list, asked on 2026-11-28"
    assert "# agreed" in path.read_text()


def test_a_book_that_answers_cannot_be_added_to_stays(tmp_path: Path) -> None:
    """Prices on one line are not rewritten: the error says how to write them."""
    path = tmp_path / "prices.yaml"
    path.write_text("prices: {alb.hour: 0.02}\n")
    with pytest.raises(WrongInputError, match="no line `prices:`"):
        keep(path, Answers(region=REGION, prices={"nat.hour": Decimal("0.059")}), DAY)
    assert path.read_text() == "prices: {alb.hour: 0.02}\n"


def test_what_is_unknown_is_asked_for_and_known_from_then_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bill's unknown prices are asked for once, kept in a book of its region, and the next bill has them."""
    monkeypatch.chdir(tmp_path)
    key = "cloudwatch.dashboard-month"
    with pricing() as (client, stubbed):
        page = {"PriceList": [product("DashboardsUsageHour", ("0", "3.0000000000"))]}
        stubbed.add_response("get_products", page, wanted(key))
        path, said = asked(
            [of(made("aws_cloudwatch_dashboard.d"), made("aws_guardduty_detector.g"))], None, lambda: client
        )
    assert path is not None
    assert "has 1 of 2 prices for ap-northeast-2; prices.yaml keeps them" in said
    assert "guardduty.month: nobody here knows how to ask for it" in said
    assert own(path).price(key).usd == Decimal("3.0000000000")


def test_nothing_is_asked_where_nothing_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an unknown price nobody connects to AWS."""
    monkeypatch.chdir(tmp_path)
    path, said = asked([of(made("aws_nat_gateway.n"))], None, lambda: pytest.fail("connected"))
    assert (path, said) == (None, "there is no price to ask for in ap-northeast-2")


def test_what_is_unknown_elsewhere_is_said_though_nothing_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A book has one region: whose prices were not asked for is named, with how to ask for them."""
    monkeypatch.chdir(tmp_path)
    there = replace(made("aws_cloudwatch_dashboard.d"), region="sa-east-1")
    _, said = asked([of(made("aws_nat_gateway.n"), there)], None, lambda: pytest.fail("connected"))
    assert said.startswith("there is no price to ask for in ap-northeast-2\n  not asked")
    assert "sa-east-1; a book with its `region: ...`" in said


def test_every_question_is_about_a_price() -> None:
    """What is asked for can stand in a book."""
    sample = {"class": "t4g.micro", "kind": "gp3", "size": "small", "engine": "mysql", "zones": "single"}
    for row in rows():
        key = row["key"].format_map(sample)
        key = key.replace("single.t4g", "single.db.t4g").replace("mysql.t4g", "redis.cache.t4g")
        assert unknown(key) is None, key
