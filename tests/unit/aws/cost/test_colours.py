"""Two fleets of which one rests."""

from decimal import Decimal
from typing import Any

from tests.unit.aws.cost.bills import line, made, months, of

from crossfade.file.cloud.usage import Usage


def test_the_colour_that_rests_costs_nothing_and_an_hour_of_both_is_said() -> None:
    """Of two services one has tasks; both are a line, and the second fleet is so much more an hour as the first."""
    size: dict[str, Any] = {"cpu": "512", "memory": "1024", "requires_compatibilities": ["FARGATE"]}
    task = made("module.service_web.aws_ecs_task_definition.this", **size)
    colours = [
        made(
            f'module.service_web.aws_ecs_service.this["{colour}"]',
            {"task_definition": (task.address,)},
            name=f"shop-prod-web-{colour}",
            desired_count=count,
            capacity_provider_strategy=[{"capacity_provider": "FARGATE", "weight": 1}],
            tags={"crossfade:colour": colour},
        )
        for colour, count in (("blue", 2), ("green", 0))
    ]
    bounds = [
        made(
            f'module.service_web.aws_appautoscaling_target.this["{colour}"]',
            {"resource_id": (service.address,)},
            min_capacity=2,
            max_capacity=4,
        )
        for colour, service in zip(("blue", "green"), colours, strict=True)
    ]
    scaled = line(of(task, *colours, *bounds), "Fargate web, 0.5 vCPU 1 GB")
    assert scaled.usage == "instances.web"
    assert scaled.assumes == "2 tasks on average of 2 to 4"
    averages = Usage.model_validate({"instances": {"web": 2}})
    for usage in (Usage(), averages):
        found = of(task, *colours, usage=usage)
        assert months(found, "Fargate web, 0.5 vCPU 1 GB") == ("41.45", "41.45", "41.45")
        assert found.beside == Decimal("0.06")  # 2 x (0.5 x 0.04656 + 0.00511) = 0.0568
