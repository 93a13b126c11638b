"""Aurora and Neptune without a class: capacity units between the bounds of their cluster."""

from typing import Any

import pytest
from tests.unit.aws.cost.bills import VIRGINIA, items, line, made, months, of

from crossfade.aws.resources.resource import Resource
from crossfade.file.cloud.usage import Usage

CAPACITY = "Aurora Serverless, capacity"


def of_aurora(**cluster: Any) -> tuple[Resource, ...]:
    bounds = [{"min_capacity": 0.5, "max_capacity": 4}]
    return (
        made("aws_rds_cluster.c", **{"serverlessv2_scaling_configuration": bounds, **cluster}),
        *(
            made(
                f"aws_rds_cluster_instance.{name}",
                {"cluster_identifier": ("aws_rds_cluster.c",)},
                engine="aurora-mysql",
                instance_class="db.serverless",
            )
            for name in ("a", "b")
        ),
    )


def test_each_instance_has_at_least_the_least() -> None:
    """Two instances of 0.5 to 4 units: a floor of 87.60 a month, and eight times as much at most."""
    bill = of(*of_aurora(), book=VIRGINIA)
    assert months(bill, CAPACITY) == ("87.60", "87.60", "700.80")
    assert line(bill, CAPACITY).usage == "units.aurora.acu-hour"


def test_it_is_billed_once() -> None:
    """Neither the class that is none nor the bounds are lines of their own."""
    assert not [item for item in items(of(*of_aurora())) if "db.serverless" in item or "configuration" in item]


def test_whoever_knows_how_many_units_it_is_says_so() -> None:
    """`cloud.usage.units` takes the place of the bounds."""
    usage = Usage.model_validate({"units": {"aurora.acu-hour": 1000}})
    assert months(of(*of_aurora(), book=VIRGINIA, usage=usage), CAPACITY) == ("120.00",) * 3


@pytest.mark.parametrize(
    ("cluster", "item"),
    [
        ({"storage_type": "aurora-iopt1"}, "Aurora Serverless, capacity, I/O included"),
        ({"serverlessv2_scaling_configuration": []}, CAPACITY),
    ],
)
def test_what_has_no_price_or_no_bounds_is_unknown(cluster: dict[str, Any], item: str) -> None:
    """I/O-Optimized has a price of its own, and a cluster that the plan does not tell of has bounds of its own."""
    assert item in [each.item for each in of(*of_aurora(**cluster), book=VIRGINIA).unknown]


def test_neptune_is_as_aurora() -> None:
    """By its own units."""
    cluster = made(
        "aws_neptune_cluster.c", serverless_v2_scaling_configuration=[{"min_capacity": 1, "max_capacity": 8}]
    )
    instance = made(
        "aws_neptune_cluster_instance.i", {"cluster_identifier": (cluster.address,)}, instance_class="db.serverless"
    )
    found = line(of(cluster, instance), "Neptune Serverless, capacity")
    assert (found.quantity.least, found.quantity.most) == (730, 8 * 730)
