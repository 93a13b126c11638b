"""cost: the bill as people and programs get it."""

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from tests.unit.aws.resources.plans import configured, document, resource, written

from crossfade.cli.main import crossfade
from crossfade.core.errors import WrongInputError

FILE = """\
app: shop
services:
  web:
    image: acme/web
    replicas: 2
    scale: {min: 2, max: 4, cpu: 70%}
    resources: {cpu: 0.5, memory: 1G}
cloud:
  region: ap-northeast-2
  zones: [a, c]
  usage: {egress: 20G}
environments:
  local: {}
  dev: {platform: aws, cloud: {dashboard: false}}
  prod: {platform: aws}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "crossfade.yaml").write_text(FILE)
    return tmp_path


def run(*words: str) -> Result:
    """Errors that the rim would show come out as they are."""
    result = CliRunner().invoke(crossfade, ["cost", *words], standalone_mode=False)
    if isinstance(result.exception, Exception) and not isinstance(result.exception, click.exceptions.Exit):
        raise result.exception
    return result


def asked(*words: str) -> Any:
    return json.loads(run(*words, "--json").output.splitlines()[-1])["bills"]


def test_without_an_environment_all_on_aws_have_a_bill(folder: Path) -> None:
    """Every environment on AWS gets a bill, one on this machine none."""
    assert [bill["title"] for bill in asked()] == ["dev", "prod"]


def test_one_environment_is_asked_for(folder: Path) -> None:
    """With -e there is one bill, and its JSON says everything of each line."""
    (bill,) = asked("-e", "prod")
    assert set(bill) == {
        *("title", "region", "prices", "currency", "total", "by_usage", "both_fleets_hour"),
        *("unknown", "incomplete", "billed_when_done", "lines"),
    }
    line = next(each for each in bill["lines"] if each["item"] == "Sent to the internet")
    assert line == {
        "area": "Network",
        "item": "Sent to the internet",
        "quantity": {"min": 20.0, "expected": 20.0, "max": 20.0},
        "unit": "GB",
        "unit_price": 0.126,
        "monthly": {"min": 2.52, "expected": 2.52, "max": 2.52},
        "source": "price collection of 2026-10, whose pages are not on record",
        "keys": ["egress.gb"],
        "addresses": ["module.alb.aws_lb.this"],
        "depends_on_use": True,
        "assumes": "20 GB",
        "changed_by": "cloud.usage.egress",
        "note": "an account's first 100 GB a month are free",
        "region": "ap-northeast-2",
    }


def test_what_is_unknown_is_said_and_counted(folder: Path) -> None:
    """A line without a price says unknown, and the total says how many there are and which."""
    text = run("-e", "prod").output
    (row,) = (line for line in text.splitlines() if line.startswith("    Dashboards"))
    assert row.split()[-2:] == ["unknown", "unknown"]
    assert (
        f"1 of {len(asked('-e', 'prod')[0]['lines'])} lines has no known price and is not in the total: Dashboards"
        in text
    )


def test_a_line_that_depends_on_use_is_marked(folder: Path) -> None:
    """The mark leads to what the line rests on and to the key of the file that changes it."""
    text = run("-e", "prod").output
    (row,) = (line for line in text.splitlines() if line.startswith("    Sent to the internet"))
    assert "  ~  " in row
    assert "20 GB; cloud.usage.egress changes it" in text


def test_scaling_is_a_range_in_the_total(folder: Path) -> None:
    """The total has a least and a most where a service may have more instances."""
    (bill,) = asked("-e", "dev")
    total = bill["total"]
    assert total["min"] == total["expected"] < total["max"]
    assert (
        f"Total {total['expected']:,.2f}, from {total['min']:,.2f} to {total['max']:,.2f} as it scales"
        in run("-e", "dev").output
    )


def test_a_book_of_ones_own_counts(folder: Path) -> None:
    """--prices lays a team's book over the list prices."""
    (folder / "prices.yaml").write_text("name: ours\nprices: {egress.gb: 1}")
    (bill,) = asked("-e", "prod", "--prices", "prices.yaml")
    assert bill["prices"] == "ours, over AWS list prices in ap-northeast-2 (2026-09-03)"
    assert next(each for each in bill["lines"] if each["keys"] == ["egress.gb"])["monthly"]["expected"] == 20.0


def test_a_book_of_another_region_is_refused(folder: Path) -> None:
    """Prices of Virginia are no prices of Seoul."""
    (folder / "prices.yaml").write_text("region: us-east-1\nprices: {egress.gb: 0.09}")
    with pytest.raises(WrongInputError, match="has the prices of us-east-1, and what is billed is in ap-northeast-2"):
        run("-e", "prod", "--prices", "prices.yaml")


def plan(folder: Path, **rest: Any) -> str:
    configuration = {"resources": [configured("aws_nat_gateway.this", subnet_id=["aws_subnet.a.id"])]}
    return str(written(folder, document([resource("aws_nat_gateway.this")], configuration, **rest)))


def test_any_plan_has_a_bill(folder: Path) -> None:
    """--plan makes the bill of a plan, with the usage and the region of an environment when one is named."""
    (bill,) = asked("--plan", plan(folder), "-e", "prod")
    assert (bill["title"], bill["region"]) == ("plan.json", "ap-northeast-2")
    assert [(line["item"], line["monthly"]["expected"]) for line in bill["lines"]] == [
        ("NAT gateway", 43.07),
        ("NAT gateway, data", 0.59),
        ("Sent to the internet", 2.52),
    ]


def test_a_plan_without_a_region_has_no_prices(folder: Path) -> None:
    """Where a plan does not say where it is, its lines are unknown and say how to tell; `--region` tells it."""
    (bill,) = asked("--plan", plan(folder))
    assert (bill["unknown"], {line["note"] for line in bill["lines"]}) == (
        3,
        {"the plan does not say in which region it is: name it with --region"},
    )
    (bill,) = asked("--plan", plan(folder), "--region", "us-east-1")
    assert [line["monthly"]["expected"] for line in bill["lines"]] == [32.85, 0.45, 0.90]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-e", "local"], "local is not on AWS"),
        (["-e", "pord"], 'no environment "pord"'),
        (["--plan", "none.json"], "none.json cannot be read"),
        (["--prices", "none.yaml"], "none.yaml cannot be read"),
        (["-f", "none.yaml"], "no file none.yaml"),
    ],
)
def test_what_cannot_be_meant_is_one_error(folder: Path, words: list[str], said: str) -> None:
    """A wrong environment, plan, book or file is one sentence."""
    with pytest.raises(WrongInputError, match=said):
        run(*words)


def test_an_app_without_aws_has_no_bill(folder: Path) -> None:
    """A file whose environments are all on this machine is told how to put one on AWS."""
    (folder / "crossfade.yaml").write_text(FILE.replace("platform: aws", "platform: local"))
    with pytest.raises(WrongInputError, match="has no environment on AWS") as error:
        run()
    assert "platform: aws" in error.value.way_out
