"""A bill of ours beside another's: each line of theirs is right, wrong, unknown or silent."""

import json
from decimal import Decimal
from pathlib import Path

from benchmarks.bills import measure
from benchmarks.golden import expected
from benchmarks.scale import Scale

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


async def test_a_line_that_aws_bills_otherwise_is_theirs(tmp_path: Path) -> None:
    """Three nodes have three disks, and theirs counts one: said with its reason, and not held against ours."""
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
    assert result.data["counted"] == {"fixed, right": 1, "fixed, theirs": 1}
