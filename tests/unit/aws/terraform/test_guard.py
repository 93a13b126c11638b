"""What has to be said before something happens, and before data is lost."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.aws.terraform.changes import Changes, ResourceChange
from crossfade.aws.terraform.guard import SaidBefore, is_guarded, losses, protected, questions
from crossfade.file.load import load

HOLDERS: dict[str, dict[str, Any]] = {
    "aws_db_instance": {"identifier": "shop-dev", "allocated_storage": 20},
    "aws_dynamodb_table": {"name": "carts"},
    "aws_ebs_volume": {"id": "vol-1", "size": 20},
    "aws_ecr_repository": {"name": "shop-dev/web"},
    "aws_elasticache_replication_group": {"replication_group_id": "shop-dev", "snapshot_retention_limit": 3},
    "aws_s3_bucket": {"bucket": "shop-dev-files"},
    "aws_secretsmanager_secret": {"name": "shop/dev/JWT"},
}
OTHERS = ("aws_vpc", "aws_lb", "aws_ecs_service", "aws_iam_role")


def change(kind: str, action: Any, **before: Any) -> ResourceChange:
    return ResourceChange(address=f"{kind}.this", type=kind, action=action, before=before or HOLDERS.get(kind, {}))


def plan(*resources: ResourceChange) -> Changes:
    return Changes(resources=resources)


def options(changes: Changes, **where: Any) -> list[str]:
    return [question.option for question in questions(changes, "dev", **{"production": False, **where})]


_changes = st.lists(
    st.builds(change, st.sampled_from([*HOLDERS, *OTHERS]), st.sampled_from(["create", "update", "replace", "delete"])),
    max_size=12,
).map(lambda made: plan(*made))


@given(_changes, st.booleans(), st.booleans())
def test_no_data_goes_without_its_own_word(changes: Changes, production: bool, destroying: bool) -> None:
    """Neither --yes nor the environment's name is enough to delete or replace what holds data, and only that asks."""
    asked = questions(changes, "dev", production=production, destroying=destroying)
    ends = any(one.type in HOLDERS and one.action in {"replace", "delete"} for one in changes.resources)
    said = SaidBefore(yes=True, confirm="dev")
    assert [one.option for one in asked if not said.answers(one)] == (["--with-data"] if ends else [])


@given(_changes)
def test_yes_is_not_enough_for_production(changes: Changes) -> None:
    """Its name has to be typed, whatever the change is."""
    left = [one for one in questions(changes, "prod", production=True) if not SaidBefore(yes=True).answers(one)]
    assert bool(left) is bool(changes)


def test_nothing_to_do_asks_nothing() -> None:
    """Also in production, also for destroy."""
    assert questions(plan(), "prod", production=True, destroying=True) == ()


def test_an_ordinary_change() -> None:
    """Yes or no, which a CI says with --yes."""
    (question,) = questions(plan(change("aws_vpc", "create")), "dev", production=False)
    assert question.phrase is None
    assert SaidBefore(yes=True).answers(question)
    assert not SaidBefore().answers(question)


def test_destroy_is_typed_and_its_data_too() -> None:
    """Two sentences, which cannot be mixed up."""
    changes = plan(change("aws_s3_bucket", "delete"))
    asked = questions(changes, "dev", production=False, destroying=True)
    assert [one.phrase for one in asked] == ["dev", "destroy data of dev"]
    assert not any(SaidBefore(yes=True).answers(one) for one in asked)
    assert all(SaidBefore(confirm="dev", with_data=True).answers(one) for one in asked)


@pytest.mark.parametrize(
    ("kind", "before", "fate"),
    [
        ("aws_db_instance", {"skip_final_snapshot": True}, "no last snapshot is kept"),
        ("aws_db_instance", {"final_snapshot_identifier": "shop-last"}, "the last snapshot shop-last is kept"),
        ("aws_s3_bucket", {"force_destroy": True}, "all objects in it are lost"),
        ("aws_s3_bucket", {"bucket": "b"}, "AWS refuses this until it is empty"),
        ("aws_ecr_repository", {"force_delete": True}, "all images in it are lost"),
        ("aws_secretsmanager_secret", {"recovery_window_in_days": 7}, "can be restored for 7 days"),
        ("aws_secretsmanager_secret", {"recovery_window_in_days": 0}, "goes at once"),
        ("aws_ebs_volume", {"final_snapshot": True}, "a last snapshot is kept"),
        (
            "aws_elasticache_replication_group",
            {"snapshot_retention_limit": 1},
            "its contents and its snapshots are lost",
        ),
        ("aws_cloudwatch_log_group", {"name": "/shop"}, "all logs in it are lost"),
    ],
)
def test_a_loss_says_what_becomes_of_the_data(kind: str, before: dict[str, Any], fate: str) -> None:
    """Gone, kept elsewhere, or refused by AWS: three different things to agree to."""
    (loss,) = losses(plan(change(kind, "delete", **before)))
    assert loss.fate == fate


def test_a_replaced_one_comes_back_empty() -> None:
    """The new one has the old one's name, which looks as if nothing was lost."""
    (loss,) = losses(plan(change("aws_db_instance", "replace", identifier="shop", allocated_storage=20)))
    assert str(loss).startswith("database shop, 20 GB (aws_db_instance.this): ")
    assert loss.fate.endswith("; an empty one follows")


def test_what_aws_protects_is_found_before() -> None:
    """Each service calls it otherwise; what only changes is not in the way."""
    keys = {
        "aws_db_instance": "deletion_protection",
        "aws_lb": "enable_deletion_protection",
        "aws_dynamodb_table": "deletion_protection_enabled",
    }
    on = [change(kind, action, **{key: True}) for kind, key in keys.items() for action in ("delete", "update")]
    off = [change(kind, "delete", **{key: False}) for kind, key in keys.items()]
    assert protected(plan(*on, *off)) == tuple(f"{kind}.this" for kind in keys)


def test_copies_hold_nothing_of_their_own() -> None:
    """A read replica's data is elsewhere, and a cache without snapshots was never meant to keep any."""
    replica = change("aws_db_instance", "delete", identifier="r", replicate_source_db="shop")
    cache = change("aws_elasticache_replication_group", "delete", snapshot_retention_limit=0)
    assert losses(plan(replica, cache)) == ()


@pytest.mark.parametrize(
    ("name", "cloud", "production"),
    [
        ("prod", "{}", True),
        ("production", "{}", True),
        ("prod-eu", "{}", True),
        ("dev", "{}", False),
        ("live", "{}", True),
        ("prd", "{}", True),
        ("eu-production", "{}", True),
        ("products", "{}", False),
        ("dev", "{load_balancer: {protect: true}}", True),
        ("staging", "{database: {multi_az: true}}", True),
        ("staging", "{database: {multi_az: false}}", False),
    ],
)
def test_what_is_production(tmp_path: Path, name: str, cloud: str, production: bool) -> None:
    """Its name says so, or somebody protects it or pays for a standby."""
    file = tmp_path / "crossfade.yaml"
    web = "{image: web, port: 3000, resources: {cpu: 0.5, memory: 1G}}"
    file.write_text(f"app: shop\nservices: {{web: {web}}}\nenvironments: {{{name}: {{platform: aws, cloud: {cloud}}}}}")
    assert is_guarded(load(file, name)) is production
