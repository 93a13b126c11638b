"""What only the apply tells of a plan's costs: never taken for something that it may not be, and named."""

from dataclasses import replace

import pytest
from tests.unit.aws.cost.bills import line, made, of

from crossfade.aws.cost.untold import untold
from crossfade.aws.resources.resource import Resource

WEB = replace(
    made("aws_instance.web", root_block_device=[{"delete_on_termination": True}]),
    later=frozenset({"instance_type", "root_block_device.volume_size", "user_data"}),
)


def test_what_prices_depend_on_is_named() -> None:
    """Each kind of thing is a sentence that names the attributes, and not those that cost nothing."""
    again = replace(WEB, address="aws_instance.again")
    (sentence,) = untold([WEB, again])
    assert sentence == (
        "only the apply will tell instance_type, root_block_device.volume_size of aws_instance.web and 1 more, "
        "which its price depends on"
    )


@pytest.mark.parametrize(("leads", "said"), [("aws_subnet.a", 0), ("data.aws_subnet.a", 1), ("terraform_data.a", 1)])
def test_what_leads_to_something_in_the_plan_is_told(leads: str, said: int) -> None:
    """Subnets that are made with it are in the plan, and counted there."""
    door = made("aws_vpc_endpoint.a", {"subnet_ids": (leads,)}, vpc_endpoint_type="Interface")
    assert len(list(untold([replace(door, later=frozenset({"subnet_ids"}))]))) == said


def test_a_number_is_nowhere_else_whatever_it_is_worked_out_from() -> None:
    """Many subnets of the plan may make many shards, and the bill rests on how many."""
    stream = made("aws_kinesis_stream.s", {"shard_count": ("aws_subnet.a",)})
    assert len(list(untold([replace(stream, later=frozenset({"shard_count"}))]))) == 1


@pytest.mark.parametrize(
    ("resource", "item"),
    [
        (WEB, "Disks, gp2, of an unknown size"),
        (
            replace(made("aws_autoscaling_group.web"), later=frozenset({"min_size", "max_size"})),
            "Hosts web, nobody knows how many",
        ),
        (
            replace(
                made("aws_db_instance.db", engine="postgres", instance_class="db.t4g.micro", allocated_storage=20),
                later=frozenset({"multi_az"}),
            ),
            "Database postgres db.t4g.micro",
        ),
    ],
)
def test_what_is_not_told_has_no_price(resource: Resource, item: str) -> None:
    """Neither the image's size nor one zone nor no hosts is assumed where the apply may bring others."""
    assert line(of(resource), item).monthly is None


def test_a_key_with_quotes_stays_a_name() -> None:
    """A host of `for_each` is called by its whole address, whatever its key is."""
    assert line(of(made(r'aws_instance.many["c\"d"]', instance_type="t3.micro")), r'Host many["c\"d"], t3.micro')
