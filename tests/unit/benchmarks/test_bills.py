"""A bill of ours beside another's: each line of theirs is right, wrong, unknown or silent."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from benchmarks.bills import measure
from benchmarks.golden import Expected, expected
from benchmarks.scale import Scale
from benchmarks.verdict import Ours, judge

from crossfade.aws.cost.bill.charge import Amount, Charge, once

GOLDEN = """
 Name                                                  Monthly Qty  Unit   Monthly Cost

 aws_ebs_volume.kept
 └─ Storage (general purpose SSD, gp2)                          20  GB            $2.00

 aws_ebs_volume.dear
 ├─ Storage (general purpose SSD, gp2)                          20  GB            $9.00
 └─ root
    └─ Snapshots                     Monthly cost depends on usage: $0.05 per GB

 aws_thing.other
 └─ Thing                                                        1  things        $1.00  *

 OVERALL TOTAL                                                                   $12.00
"""


def _volume(name: str) -> dict[str, object]:
    return {
        "address": f"aws_ebs_volume.{name}",
        "mode": "managed",
        "type": "aws_ebs_volume",
        "name": name,
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "values": {"size": 20, "type": "gp2", "availability_zone": "us-east-1a"},
    }


def test_leaves_have_their_resource_their_dollars_and_whether_they_depend_on_use() -> None:
    leaves = [(leaf.address, leaf.item, leaf.usd, leaf.by_use) for leaf in expected(GOLDEN)]
    assert leaves == [
        ("aws_ebs_volume.kept", "Storage (general purpose SSD, gp2)", Decimal("2.00"), False),
        ("aws_ebs_volume.dear", "Storage (general purpose SSD, gp2)", Decimal("9.00"), False),
        ("aws_ebs_volume.dear", "Snapshots", Decimal(0), True),
        ("aws_thing.other", "Thing", Decimal("1.00"), True),
    ]


async def test_each_line_of_theirs_gets_a_verdict(tmp_path: Path) -> None:
    """The same dollars are right, others wrong, what nothing is said of is silent; what is not planned is left out."""
    case = tmp_path / "disks"
    case.mkdir()
    plan = {"planned_values": {"root_module": {"resources": [_volume("kept"), _volume("dear")]}}}
    (case / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    (case / "disks.golden").write_text(GOLDEN, encoding="utf-8")
    result = await measure(Scale(folder=tmp_path))
    assert not result.notes
    assert result.data["counted"] == {"fixed, right": 1, "fixed, wrong": 1, "by use, silent": 1}


THEIR_SEARCH = """
 aws_opensearch_domain.d
 ├─ Instance (on-demand, c4.2xlarge.search)                     2,190  hours        $1,285.53
 └─ Storage (gp2)                                                 400  GB              $54.00

 OVERALL TOTAL                                                                      $1,339.53
"""


async def test_no_line_is_excused(tmp_path: Path) -> None:
    """Three nodes have three disks, and theirs counts one: other dollars are wrong, whoever is right."""
    case = tmp_path / "search"
    case.mkdir()
    nodes = [{"instance_type": "c4.2xlarge.search", "instance_count": 3}]
    disks = [{"ebs_enabled": True, "volume_size": 400, "volume_type": "gp2"}]
    domain = {
        "address": "aws_opensearch_domain.d",
        "type": "aws_opensearch_domain",
        "values": {"cluster_config": nodes, "ebs_options": disks, "engine_version": "OpenSearch_2.19"},
    }
    plan = {
        "planned_values": {"root_module": {"resources": [domain]}},
        "configuration": {"provider_config": {"aws": {"expressions": {"region": {"constant_value": "us-east-1"}}}}},
    }
    (case / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    (case / "search.golden").write_text(THEIR_SEARCH, encoding="utf-8")
    result = await measure(Scale(folder=tmp_path))
    assert result.data["counted"] == {"fixed, right": 1, "fixed, wrong": 1}


def _ours(item: str, price: str | None, unit: str, *, unsaid: bool = False, quantity: float = 1) -> Ours:
    charge = Charge(
        area="Data",
        item=item,
        quantity=Amount.of(quantity),
        unit=unit,
        rate=once("k"),
        addresses=("a.b",),
        unsaid=unsaid,
    )
    return Ours(charge=charge, each=Decimal(price) if price else None)


@pytest.mark.parametrize(
    ("item", "said", "ours", "acts", "expected_verdict"),
    [
        ("Requests", "$0.20 per 1M requests", _ours("Calls", "0.2", "1,000,000 requests", unsaid=True), "", "right"),
        ("Requests", "$0.0004 per 1k requests", _ours("Reads", "0.004", "10,000 requests"), "", "right"),
        ("Capacity units", "$5.84 per LCU", _ours("Balancer", "0.008", "LCU-hours"), "", "right"),
        ("Duration", "1,000 GB-hours $60.01 *", _ours("Workflows", "0.060012", "GB-hours", unsaid=True), "", "right"),
        ("Duration", "6 hours (10 DPUs) $26.40 *", _ours("Jobs", "0.44", "DPU-hours", unsaid=True), "", "right"),
        ("Storage", "$0.10 per GB", _ours("Table storage", None, "GB-months", unsaid=True), "", "unknown"),
        ("Snapshot export", "$0.01 per GB", _ours("Table", "9", "hours"), "exports of snapshots", "unknown"),
        ("Storage", "$0.10 per GB", _ours("Table storage", "0.2", "GB-months", unsaid=True), "", "wrong"),
        ("Backtrack", "$0.012 per 1M records", _ours("Table", "9", "hours"), "", "silent"),
    ],
)
def test_what_depends_on_use_is_compared_by_its_price(
    item: str, said: str, ours: Ours, acts: str, expected_verdict: str
) -> None:
    """Of one, whatever the unit; named without a price is unknown, and another line of the resource is no answer."""
    line = Expected(address="aws_table.b", item=item, said=said, usd=Decimal(0), by_use=True)
    assert judge(line, [ours], acts) == expected_verdict


def test_what_is_unknown_as_a_whole_is_unknown_line_by_line() -> None:
    """A resource of which nobody knows what it costs answers for each of its lines; with another price, it does not."""
    line = Expected(address="module.m.aws_table.b[0]", item="Rows", said="10 rows $3.00", usd=Decimal(3), by_use=False)
    hours = _ours("Hours", "9", "hours")
    assert judge(line, [_ours("aws_table", None, "resources"), hours], "") == "unknown"
    assert judge(line, [_ours("aws_other", None, "resources")], "") == "unknown"
    assert judge(line, [_ours("aws_other", None, "resources"), hours], "") == "silent"


def test_the_closest_line_answers() -> None:
    """That another line has a word of it and no price does not excuse other dollars for the same."""
    line = Expected(address="aws_search.b", item="Storage (gp3)", said="9 GB $3.00", usd=Decimal(3), by_use=False)
    through = _ours("Disk throughput", None, "MiB/s-months")
    assert judge(line, [_ours("Disks, gp3", "9", "GB-months"), through], "") == "wrong"
    assert judge(line, [_ours("Nodes", "9", "hours"), through], "") == "unknown"
