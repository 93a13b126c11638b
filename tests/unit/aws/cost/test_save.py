"""Savings: the teams' own figures to the cent, and what our rules make of a bill."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from crossfade.aws.cost.bill.bill import Bill, Line
from crossfade.aws.cost.bill.charge import Amount
from crossfade.aws.cost.check.bill import table_bill
from crossfade.aws.cost.file import of_app, of_file
from crossfade.aws.cost.prices.book import Price, PriceBook, list_prices
from crossfade.aws.cost.savings.assumed import proposed, read_assumptions
from crossfade.aws.cost.savings.ground import RATES, Ground, Rate
from crossfade.aws.cost.savings.ground import of_file as with_file
from crossfade.aws.cost.savings.rules import RULES
from crossfade.aws.cost.savings.savings import Proposal, not_combined, proposals, together, unreckoned
from crossfade.cli.main import crossfade
from crossfade.core.errors import WrongInputError
from crossfade.file.load import load
from crossfade.file.reading.problem import WrongFileError

EXAMPLES = Path(__file__).parents[4] / "examples"
SEOUL = list_prices("ap-northeast-2")


def line(item: str, monthly: str, *keys: str, quantity: str = "730", least: str | None = None, usage: str = "") -> Line:
    """A line that is made of one of each key."""
    expected = Decimal(monthly)
    return Line(
        area="Other",
        item=item,
        quantity=Amount.of(quantity),
        unit="hours",
        price=expected / Decimal(quantity),
        monthly=Amount(Decimal(least) if least else expected, expected, expected),
        source="a test",
        usage=usage,
        rate=tuple((Decimal(1), key) for key in keys),
    )


def bill(*lines: Line) -> Bill:
    return Bill(title="prod", region="ap-northeast-2", book="a test", lines=lines)


def ground(**known: object) -> Ground:
    return Ground(book=SEOUL, rates=RATES, **known)  # type: ignore[arg-type]


def by_id(made: Bill, known: Ground) -> dict[str, Proposal]:
    return {proposal.id: proposal for proposal in proposals(made, known)}


def codemate(environment: str) -> tuple[Bill, tuple[Proposal, ...]]:
    folder = EXAMPLES / "codemate"
    (made,) = of_file(folder / "crossfade.yaml", environment, folder / "prices.yaml")
    stage = read_assumptions(folder / "savings.yaml").environments[environment]
    return made, proposed(stage, made, "savings.yaml")


def test_codemates_development_comes_to_138_55() -> None:
    """Free database, NAT instance and fewer logs: 59.55 less than 198.10, which is 30.1 %."""
    made = together(*codemate("dev"))
    assert (made.now, made.then, made.percent) == (Decimal("198.10"), Decimal("138.55"), Decimal("30.1"))
    assert [(step.now, step.then) for step in made.steps] == [
        (Decimal("17.36"), Decimal("0.00")),
        (Decimal("43.66"), Decimal("3.00")),
        (Decimal("3.03"), Decimal("1.50")),
    ]


def test_codemates_production_comes_to_408_36() -> None:
    """Six items of their document, and 62.52 that stays as it is: 39.5 % saved."""
    bill, found = codemate("prod")
    made = together(bill, found)
    assert (made.now, made.then, made.percent) == (Decimal("674.56"), Decimal("408.36"), Decimal("39.5"))
    thens = [str(step.then) for step in made.steps]
    assert thens == ["150.00", "21.50", "22.34", "60.00", "12.00", "80.00"]
    changed = {change.line for proposal in found for change in proposal.changes}
    rest = [each.monthly.expected for each in bill.lines if each.monthly and each not in changed]
    assert sum(rest) == Decimal("62.52")


def test_tiketis_lines_follow_from_its_own_shares() -> None:
    """31 % off the database, 33 % off the cache, 30 % off Fargate, then one of two tasks: 350 becomes 250.30."""
    bill = table_bill(EXAMPLES / "tiketi" / "bill.yaml")
    stage = read_assumptions(EXAMPLES / "tiketi" / "savings.yaml").environments["prod"]
    made = together(bill, proposed(stage, bill, "savings.yaml"))
    assert [(str(step.now), str(step.then)) for step in made.steps] == [
        ("80.00", "55.20"),
        ("30.00", "20.10"),
        ("100.00", "70.00"),
        ("70.00", "35.00"),
    ]
    assert (made.now, made.then) == (Decimal("350.00"), Decimal("250.30"))


def test_tiketis_development_is_about_100() -> None:
    """In one zone, with small classes and a NAT instance."""
    (bill,) = of_file(EXAMPLES / "tiketi" / "crossfade.yaml", "dev")
    stage = read_assumptions(EXAMPLES / "tiketi" / "savings.yaml").environments["dev"]
    assert 90 < together(bill, proposed(stage, bill, "savings.yaml")).then < 115


def test_a_teams_rates_replace_ours() -> None:
    """Tiketi's 31 % is used instead of our 30 %, and its file is the source."""
    rates = read_assumptions(EXAMPLES / "tiketi" / "savings.yaml").over("savings.yaml")
    found = by_id(
        bill(line("Database", "100.00", "rds.hour.postgres.multi.db.t4g.small")), Ground(book=SEOUL, rates=rates)
    )
    assert found["reserved-database"].then == Decimal("69.00")
    assert found["reserved-database"].source == "the team's, in savings.yaml"


def test_arm_is_priced_by_the_book() -> None:
    """The same hours at ARM's prices, vCPU and memory."""
    found = by_id(bill(line("Fargate", "37.72", "fargate.vcpu-hour.x86", "fargate.gb-hour.x86")), ground())
    assert found["arm"].then == Decimal("30.18")  # 730 x (0.03725 + 0.00409)


def test_a_savings_plan_covers_what_always_runs() -> None:
    """20 % off the least, and nothing off what comes and goes."""
    found = by_id(bill(line("Fargate", "100.00", "fargate.vcpu-hour.x86", least="60.00")), ground())
    assert found["savings-plan"].saved == Decimal("12.00")
    assert found["fargate-spot"].saved == Decimal("28.00")


def test_a_nat_instance_replaces_all_gateways() -> None:
    """One t4g.nano, 730 x 0.0052, for two gateways and what went through them."""
    gateways = (line("NAT", "86.14", "nat.hour", quantity="1460"), line("NAT data", "2.95", "nat.gb", quantity="50"))
    assert by_id(bill(*gateways), ground())["nat-instance"].then == Decimal("3.80")


def test_endpoints_are_reckoned_where_their_price_is_known() -> None:
    """Eight endpoints at 0.01 are cheaper than three gateways; without a price the proposal is only mentioned."""
    gateways = bill(line("NAT", "98.55", "nat.hour", quantity="2190"))
    virginia = Ground(book=list_prices("us-east-1"), rates=RATES, endpoints=8)
    assert by_id(gateways, virginia)["endpoints"].then == Decimal("58.40")
    assert "endpoints" not in by_id(gateways, ground(endpoints=8))
    assert unreckoned(gateways, ground(endpoints=8)) == (
        "Endpoints instead of NAT gateways: nobody here knows the price of endpoint.hour",
    )


def test_a_class_of_arm_without_a_price_is_mentioned() -> None:
    """A db.t3.large might be a db.t4g.large, if the book had it."""
    made = bill(line("Database", "163.52", "rds.hour.postgres.single.db.t3.large", quantity="730"))
    assert "arm" not in by_id(made, ground())
    wanted = "rds.hour.postgres.single.db.t4g.large"
    assert unreckoned(made, ground()) == (f"ARM instead of x86: nobody here knows the price of {wanted}",)


def test_development_may_sleep_and_production_may_not() -> None:
    """60 of 168 hours for development; for production one of two tasks, in 8 of 24 hours."""
    fargate = bill(line("Fargate", "168.00", "fargate.vcpu-hour.x86", quantity="1460"))
    asleep, awake = by_id(fargate, ground(production=False)), by_id(fargate, ground())
    assert asleep["nights"].then == Decimal("60.00")
    assert awake["one-at-night"].then == Decimal("140.00")
    assert "nights" not in awake
    assert "one-at-night" not in asleep


def test_one_zone_for_development() -> None:
    """The database without standby by the book, one node a shard; and one NAT gateway, unless a host does its work."""
    lines = (
        line("Database", "74.46", "rds.hour.postgres.multi.db.t4g.small"),
        line("Cache", "68.62", "elasticache.hour.redis.cache.t4g.small", quantity="1460"),
        line("NAT", "86.14", "nat.hour", quantity="1460"),
    )
    made, known = bill(*lines), ground(production=False, replicas=1)
    found = by_id(made, known)
    assert [change.then for change in found["single-az"].changes] == [Decimal("37.23"), Decimal("34.31")]
    assert found["one-nat"].then == Decimal("43.07")
    assert found["one-nat"] in not_combined(proposals(made, known), together(made, proposals(made, known)))


def test_what_an_account_has_for_nothing_is_taken_off_once() -> None:
    """10 alarms are free; the eleventh is not."""
    found = by_id(bill(line("Alarms", "1.10", "cloudwatch.alarm-month", quantity="11")), ground())
    assert found["free-tier"].then == Decimal("0.10")


def test_logs_are_kept_shorter_where_they_are_kept_long() -> None:
    """90 days become 30 in production; 30 stay."""
    kept = bill(line("Logs, kept", "9.00", "logs.stored-gb-month", quantity="300"))
    assert by_id(kept, ground(log_days=90))["log-retention"].then == Decimal("3.00")
    assert "log-retention" not in by_id(kept, ground(log_days=30))


def test_only_buckets_without_moves_get_storage_classes() -> None:
    """A bucket whose objects move already has nothing to gain."""
    buckets = (
        line("Bucket files", "10.00", "s3.gb-month.standard", quantity="400", usage="buckets.files"),
        line("Bucket static", "10.00", "s3.gb-month.standard", quantity="400", usage="buckets.static"),
    )
    found = by_id(bill(*buckets), ground(unmoved=("static",)))["storage-classes"]
    assert [change.line.item for change in found.changes] == ["Bucket static"]


def test_of_proposals_that_exclude_each_other_the_larger_counts() -> None:
    """Spare capacity and ARM cannot be had together: what saves less is named as left out."""
    made = bill(line("Fargate", "100.00", "fargate.vcpu-hour.x86", least="90.00", quantity="2000"))
    found = proposals(made, ground())
    combined = together(made, found)
    assert [proposal.id for proposal in not_combined(found, combined)] == ["fargate-spot"]
    assert combined.then < made.total.expected


def test_shares_of_what_is_left() -> None:
    """20 % off, and then 20 % off what is left, is 64 of 100 and not 60."""
    made = bill(line("Fargate", "100.00", "fargate.vcpu-hour.x86"))
    plan = replace(by_id(made, ground())["savings-plan"], instead_of="")
    assert together(made, [plan, plan]).then == Decimal("64.00")


@given(
    st.lists(
        st.tuples(st.decimals(0, 10_000, places=2), st.sampled_from(sorted(SEOUL.prices))), min_size=1, max_size=12
    ),
    st.booleans(),
)
def test_savings_never_exceed_the_bill(parts: list[tuple[Decimal, str]], production: bool) -> None:
    """For any bill: each proposal saves something of its lines, and all together leave no less than nothing."""
    lines = [line(f"line {index}", str(amount), key) for index, (amount, key) in enumerate(parts)]
    made = bill(*lines)
    found = proposals(made, ground(production=production, replicas=1, log_days=90, endpoints=8))
    combined = together(made, found)
    assert all(0 < proposal.saved <= proposal.now for proposal in found)
    assert 0 <= combined.then <= combined.now
    assert combined.now == made.total.expected


def test_unknown_prices_save_nothing() -> None:
    """Where neither the line nor the alternative has a price there is no proposal, and no error."""
    unknown = Line(
        area="Other",
        item="Database",
        quantity=Amount.of(730),
        unit="hours",
        price=None,
        monthly=None,
        source="",
        rate=((Decimal(1), "rds.hour.postgres.multi.db.r6g.large"),),
    )
    nothing = PriceBook(name="empty", prices={"alb.hour": Price(usd=None, source="")})
    assert proposals(bill(unknown), Ground(book=nothing, rates=RATES)) == ()


def test_the_file_says_what_the_rules_need() -> None:
    """Production by its name, days of logs, replicas, buckets without moves."""
    app = load(EXAMPLES / "codemate" / "crossfade.yaml", "prod")
    known = with_file(app, ground())
    assert (known.production, known.log_days, known.replicas, known.nat_class) == (True, 30, 1, "t4g.nano")
    assert "static" in known.unmoved
    assert "files" not in known.unmoved
    assert proposals(of_app(app), known)


def test_every_rate_belongs_to_a_rule() -> None:
    """A rate that no rule asks for would change nothing."""
    assert set(RATES) <= {rule.id for rule in RULES}
    assert all(rate.source for rate in RATES.values())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rates: {reserved-databse: 31%}", "did you mean reserved-database"),
        ("rates: {savings-plan: 130%}", "a percentage"),
        ("environments: {dev: {proposals: [{name: a, lines: [b]}]}}", "either to: 3.00, or less: 31%"),
        ("environments: {dev: {proposals: [{name: a, lines: [b], to: 1, less: 2%}]}}", "both to and less"),
        ("environments: {dev: {proposals: [{name: a, lines: [], to: 1}]}}", "no lines"),
        ("environments: {dev: {proposals: [{name: a, lines: [b], to: 1-2}]}}", "one amount"),
        ("environments: {dev: {proposal: []}}", "did you mean proposals"),
    ],
)
def test_what_are_no_assumptions_gets_one_clear_error(tmp_path: Path, text: str, words: str) -> None:
    """The error says what is allowed."""
    path = tmp_path / "savings.yaml"
    path.write_text(text)
    with pytest.raises(WrongFileError) as error:
        read_assumptions(path)
    assert words in error.value.cause


def test_a_proposal_about_no_line_is_refused(tmp_path: Path) -> None:
    """A line that was renamed would otherwise save nothing, silently."""
    path = tmp_path / "savings.yaml"
    path.write_text("environments: {prod: {proposals: [{name: less, lines: [Databse], to: 1}]}}")
    made = bill(line("Database", "10.00", "alb.hour"))
    with pytest.raises(WrongInputError, match="which is not a line of prod") as error:
        proposed(read_assumptions(path).environments["prod"], made, "savings.yaml")
    assert "did you mean Database?" in error.value.way_out


def run(*words: str) -> str:
    result = CliRunner().invoke(crossfade, ["cost", *words], standalone_mode=False)
    if isinstance(result.exception, Exception) and not isinstance(result.exception, click.exceptions.Exit):
        raise result.exception
    return result.output


def test_the_command_line_says_whether_the_team_is_right() -> None:
    """Their figure, and how far ours is off it."""
    folder = EXAMPLES / "codemate"
    words = ["-f", str(folder / "crossfade.yaml"), "-e", "dev", "--save", "--assume", str(folder / "savings.yaml")]
    assert "The team says 138.55, and it is so." in run(*words, "--prices", str(folder / "prices.yaml"))
    (data,) = json.loads(run(*words, "--json"))["savings"]
    assert data["as_said"] is False
    assert data["says"] == 138.55


def test_the_command_line_saves_on_a_table() -> None:
    """Tiketi's own table, without any crossfade.yaml; its 250 is 250.30, rounded."""
    folder = EXAMPLES / "tiketi"
    words = ["--table", str(folder / "bill.yaml"), "--save", "--assume", str(folder / "savings.yaml")]
    assert "The team says 250.00, which is this, rounded." in run(*words, "-e", "prod")
    with pytest.raises(WrongInputError, match="prod, dev"):
        run(*words)


def test_proposals_for_programs() -> None:
    """Each with its figures, lines, arithmetic, what it takes and its source."""
    (data,) = json.loads(run("-f", str(EXAMPLES / "codemate" / "crossfade.yaml"), "-e", "prod", "--save", "--json"))[
        "savings"
    ]
    for proposal in data["proposals"]:
        assert proposal["saved"] == pytest.approx(proposal["now"] - proposal["then"])
        assert all(proposal[key] for key in ("id", "title", "lines", "arithmetic", "takes", "source"))
    assert data["together"]["then"] < data["together"]["now"]


def test_a_rate_is_a_fraction() -> None:
    """31 % is 0.31, and a rule without a rate has none."""
    known = Ground(book=SEOUL, rates={"reserved-cache": Rate(Decimal(33), "a test")})
    assert known.rate("reserved-cache") == Decimal("0.33")
    assert known.rate("arm") == 0
