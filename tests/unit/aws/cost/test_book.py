"""Price books: the ones that come with crossfade, and a team's own."""

import re
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.aws.cost.bills import made, of

from crossfade.aws.cost.prices.book import EVERYWHERE, PriceBook, list_prices, own, read, regions
from crossfade.aws.cost.prices.keys import KEYS, unknown
from crossfade.core.errors import WrongInputError
from crossfade.file.reading.problem import WrongFileError

# What the price collection says of both regions; None is a price that it does not know.
COLLECTED: dict[str, tuple[str | None, str | None]] = {
    "ec2.hour.t2.micro": ("0.0116", "0.0144"),
    "ec2.hour.t3.micro": ("0.0104", "0.013"),
    "ec2.hour.t4g.nano": ("0.0042", "0.0052"),
    "fargate.vcpu-hour.x86": ("0.04048", "0.04656"),
    "fargate.gb-hour.x86": ("0.004445", "0.00511"),
    "fargate.vcpu-hour.arm": ("0.03238", "0.03725"),
    "fargate.gb-hour.arm": ("0.00356", "0.00409"),
    "alb.hour": ("0.0225", "0.0225"),
    "nat.hour": ("0.045", "0.059"),
    "rds.hour.postgres.single.db.t4g.small": ("0.032", "0.051"),
    "rds.hour.postgres.multi.db.t4g.small": ("0.065", "0.102"),
    "rds.hour.postgres.single.db.t3.medium": ("0.072", "0.112"),
    "rds.hour.mysql.single.db.t3.medium": ("0.068", "0.104"),
    "elasticache.hour.valkey.cache.t4g.micro": ("0.0128", "0.0192"),
    "ebs.gb-month.gp3": ("0.08", "0.0912"),
    "s3.get-10k": ("0.004", "0.0035"),
    "logs.in-gb": ("0.50", "0.76"),
    "cloudwatch.dashboard-month": ("3.00", None),
    "codebuild.minute.small": ("0.005", None),
    "public-ipv4.hour": ("0.005", "0.005"),
}


def team(text: str) -> PriceBook:
    return read(text.encode(), "prices.yaml")


@pytest.mark.parametrize("key", COLLECTED)
def test_list_prices_are_the_collected_ones(key: str) -> None:
    """Each region's book has the collected price, and none where none is known."""
    found = tuple(list_prices(region).price(key).usd for region in ("us-east-1", "ap-northeast-2"))
    assert found == tuple(Decimal(text) if text else None for text in COLLECTED[key])


@pytest.mark.parametrize("name", [*regions(), EVERYWHERE])
def test_our_books_are_as_strict_as_a_teams(name: str) -> None:
    """They are read the fast way, and read as a team's is there are the same prices in them and no mistake."""
    strictly = read(files("crossfade.aws.cost.prices").joinpath(f"{name}.yaml").read_bytes(), name)
    fast = list_prices("" if name == EVERYWHERE else name)
    assert {key: fast.price(key) for key in strictly.prices} == strictly.prices
    assert name == EVERYWHERE or (fast.title, fast.region) == (strictly.title, strictly.region)


@pytest.mark.parametrize("region", regions())
def test_each_list_price_says_who_says_it(region: str) -> None:
    """No price of ours is without a spelled-out source and a date, and each key can have a price."""
    book = list_prices(region)
    assert len(book.prices) > 50
    for key, price in book.prices.items():
        assert unknown(key) is None
        assert price.usd is None or re.search(r"\b20[12]\d", price.source)


def test_a_region_without_a_book_knows_nothing() -> None:
    """In a region that we have no prices of, only what costs the same everywhere is known; what is 0 says why."""
    book = list_prices("mx-central-1")
    known = {key: book.price(key) for key in KEYS if book.price(key).usd is not None}
    assert known.keys() == list_prices("").prices.keys() & KEYS.keys()
    assert "alb.hour" not in known
    assert all(price.usd or price.note for price in known.values())


def test_a_missing_price_is_unknown() -> None:
    """A key that a book does not have has no price, and its source says which book that is."""
    price = team("name: ours\nprices: {alb.hour: 0.02}").price("nat.hour")
    assert (price.usd, price.source) == (None, "not in ours")


def test_a_book_lies_over_the_list_prices() -> None:
    """A team's price counts before the list price, which stays for what the book does not say."""
    book = team("prices: {alb.hour: 0.02}").over(list_prices("us-east-1"))
    assert (book.price("alb.hour").usd, book.price("nat.hour").usd) == (Decimal("0.02"), Decimal("0.045"))


def test_a_book_stands_alone() -> None:
    """With `only: true` the list prices do not count."""
    book = team("only: true\nprices: {alb.hour: 0.02}").over(list_prices("us-east-1"))
    assert (book.price("alb.hour").usd, book.price("nat.hour").usd) == (Decimal("0.02"), None)


def test_a_source_is_spelled_out() -> None:
    """A price's source is the sentence that the book has for its word, or the word itself."""
    book = team("sources: {a: our contract of 2026}\nprices: {alb.hour: {usd: 0.02, source: [a, b], note: cheap}}")
    assert (book.price("alb.hour").source, book.price("alb.hour").note) == ("our contract of 2026; b", "cheap")


@given(st.decimals(min_value=0, max_value=10_000, places=9))
def test_a_price_is_exactly_what_was_typed(price: Decimal) -> None:
    """No digit of a price is lost to floating point."""
    assert team(f"prices: {{alb.hour: {price:f}}}").price("alb.hour").usd == price


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "prices.yaml:1:1: an empty file; allowed: a mapping that begins with `prices:`"),
        ("[]", "prices.yaml:1:1: a list; allowed: a mapping that begins with `prices:`"),
        ("name: ours", "no prices"),
        ("prices: {}", "prices.yaml:1:1: prices: no prices"),
        ("prices: {alb.hours: 0.02}", 'prices.alb.hours: nothing is priced by "alb.hours"; did you mean alb.hour?'),
        (
            "prices:\n  nat.hour: 0.05\n  alb.hour: cheap",
            'prices.yaml:3:3: prices.alb.hour: found "cheap"; allowed: dollars',
        ),
        ("prices: {alb.hour: -1}", "found -1; allowed: dollars"),
        ("prices: {alb.hour: true}", "found true; allowed: dollars"),
        ("prices: {alb.hour: '0.02'}", "allowed: dollars"),
        ("prices: {alb.hour: .inf}", "allowed: dollars"),
        ("prices: {alb.hour: {price: 1}}", "only usd, source, note, and not price"),
        ("prices: {alb.hour: {source: a}}", "allowed: dollars"),
        ("prices: {alb.hour: 1}\nprice: 2", 'unknown key "price"; did you mean prices?'),
        ("prices: {alb.hour: 1}\nonly: maybe", 'only: found "maybe"; allowed: true or false'),
        ("prices: {alb.hour: 1}\nsources: aws", "sources: found"),
        ("prices: {alb.hour: 1}\nname: {a: b}", "name: found a mapping"),
        ("prices:\n\talb.hour: 1", "a tab"),
    ],
)
def test_a_bad_book_is_one_clear_error(text: str, said: str) -> None:
    """What is wrong in a book is said with its line, what was found and what is allowed."""
    with pytest.raises(WrongFileError) as error:
        team(text)
    assert said in str(error.value)
    assert "prices.yaml:" in str(error.value)


def test_a_book_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A file that cannot be read is one error that says how to name one."""
    with pytest.raises(WrongInputError, match="cannot be read") as error:
        own(tmp_path / "none.yaml")
    assert "--prices" in error.value.way_out


def test_regions_of_others_have_none_of_our_prices() -> None:
    """China's are in another currency, and governments have lists of their own; elsewhere a secret costs the same."""
    assert list_prices("sa-east-1").price("secrets.secret-month").usd == Decimal("0.40")
    for region in ("cn-north-1", "us-gov-west-1", "eusc-de-east-1"):
        assert list_prices(region).price("secrets.secret-month").usd is None


def test_a_teams_book_may_be_called_as_it_likes(tmp_path: Path) -> None:
    """Whether there is a list of prices behind a book is a fact of the book, whatever its name begins with."""
    path = tmp_path / "prices.yaml"
    path.write_text("name: no discounts\nonly: true\nprices: {alb.hour: 1}\n")
    (without,) = of(made("aws_nat_gateway.this"), book=list_prices("mars-1")).lines[:1]
    (within,) = of(made("aws_nat_gateway.this"), book=own(path)).lines[:1]
    assert without.note == "no price of nat.hour: no price book for mars-1"
    assert within.note == "no price of nat.hour: it is not in no discounts"
