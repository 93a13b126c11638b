"""Secrets pinned to the version that belongs to a release."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from tests.support.in_moto import InMoto, in_moto

from crossfade.core.errors import WrongInputError
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.platforms.aws.clients import Answer, Check, Clients, unfenced
from crossfade.platforms.aws.refusals import AwsError
from crossfade.platforms.aws.secrets import PinnedSecrets, SecretPins

WEB = Service(app="shop", name="web", environment="dev", runtime="ecs", secrets=("TOKEN",))
RELEASE = Release(number=7, service=WEB, version="v7", digest="web@sha256:1", config_hash="")


@pytest.fixture
def aws() -> Iterator[InMoto]:
    with in_moto() as aws:
        yield aws


async def free() -> None: ...


def pins(aws: InMoto) -> SecretPins:
    return SecretPins(aws.clients, partial(aws.definitions.secrets, container="web"))


async def test_a_release_goes_back_with_its_own_value(aws: InMoto) -> None:
    """What is pinned names a version; a newer value changes what the next release gets and not what this one has."""
    vault = aws.aws("secretsmanager")
    arn = vault.create_secret(Name="shop/dev/TOKEN", SecretString="one")["ARN"]
    aws.lay_out({"TOKEN": arn})
    first = await pins(aws).current(WEB)
    vault.put_secret_value(SecretId=arn, SecretString="two")
    second = await pins(aws).current(WEB)
    assert first != second
    for pinned, value in ((first, "one"), (second, "two")):
        secret, _, version = pinned["TOKEN"].rpartition(":::")[0], "", pinned["TOKEN"].rpartition(":")[2]
        assert secret == arn
        assert vault.get_secret_value(SecretId=arn, VersionId=version)["SecretString"] == value
    assert "one" not in json.dumps(first)


async def test_a_version_is_kept_while_its_release_can_be_started(aws: InMoto) -> None:
    """By a label of ours, which goes with the release: AWS removes versions that have none."""
    vault = aws.aws("secretsmanager")
    arn = vault.create_secret(Name="shop/dev/TOKEN", SecretString="one")["ARN"]
    aws.lay_out({"TOKEN": arn})
    store = PinnedSecrets()
    mark = store.save(WEB.key, await pins(aws).current(WEB))
    release = replace(RELEASE, secrets=mark)
    await pins(aws).hold(release, free)
    stages = vault.describe_secret(SecretId=arn)["VersionIdsToStages"]
    assert any("crossfade-web-7" in names for names in stages.values())
    await pins(aws).let_go(release, free)
    await pins(aws).let_go(release, free)
    stages = vault.describe_secret(SecretId=arn)["VersionIdsToStages"]
    assert not any("crossfade-web-7" in names for names in stages.values())


async def test_a_label_of_a_release_of_another_journal_is_taken_over(aws: InMoto) -> None:
    """Where a journal was lost numbers begin anew, and this one's label is on another version."""
    vault = aws.aws("secretsmanager")
    made = vault.create_secret(Name="shop/dev/TOKEN", SecretString="one")
    arn, old = made["ARN"], made["VersionId"]
    aws.lay_out({"TOKEN": arn})
    vault.update_secret_version_stage(SecretId=arn, VersionStage="crossfade-web-7", MoveToVersionId=old)
    new = vault.put_secret_value(SecretId=arn, SecretString="two")["VersionId"]
    mark = PinnedSecrets().save(WEB.key, await pins(aws).current(WEB))
    await pins(aws).hold(replace(RELEASE, secrets=mark), free)
    stages = vault.describe_secret(SecretId=arn)["VersionIdsToStages"]
    assert "crossfade-web-7" in stages[new]
    assert "crossfade-web-7" not in stages[old]


class Full(Clients):
    """A secret that has as many labels as one may have."""

    async def call(self, service: str, operation: str, before: Check = unfenced, /, **parameters: Any) -> Answer:
        raise AwsError("a quota is reached", code="LimitExceededException")


async def test_a_secret_with_all_the_labels_that_it_may_have_stops_no_release() -> None:
    """Twenty, of all services and environments that share it: a version stays without one, while it is not very old."""
    unasked: Any = None
    where = "arn:aws:secretsmanager:us-east-1:1:secret:shop/dev/TOKEN-AbCdEf"
    mark = PinnedSecrets().save(WEB.key, {"TOKEN": f"{where}:::v1"})
    await SecretPins(Full(), unasked).hold(replace(RELEASE, secrets=mark), free)


async def test_every_empty_secret_is_named_at_once(aws: InMoto) -> None:
    """And one that the place does not know is told from one that has no value."""
    vault = aws.aws("secretsmanager")
    arns = {name: vault.create_secret(Name=f"shop/dev/{name}")["ARN"] for name in ("TOKEN", "SALT")}
    aws.lay_out(arns)
    with pytest.raises(WrongInputError, match="have no value yet: TOKEN, SALT\n  `crossfade secrets set TOKEN -e dev`"):
        await pins(aws).current(replace(WEB, secrets=("TOKEN", "SALT")))
    with pytest.raises(WrongInputError, match="does not have: PEPPER"):
        await pins(aws).current(replace(WEB, secrets=("PEPPER",)))


async def test_a_managed_password_is_not_pinned(aws: InMoto) -> None:
    """The database takes its newest one alone."""
    managed = "arn:aws:secretsmanager:eu-west-1:1:secret:rds!db-1-AbCdEf:password::"
    aws.lay_out({"TOKEN": managed})
    assert await pins(aws).current(WEB) == {"TOKEN": managed}


def test_the_mark_says_which_versions_and_is_all_there_is() -> None:
    """Nothing else is kept: whoever has the release has its references."""
    store = PinnedSecrets()
    values = {"TOKEN": "arn:x:::v1", "A": "arn:y:::v2"}
    mark = store.save("shop@dev/web", values)
    release = Release(number=1, service=WEB, version="", digest="", config_hash="", secrets=mark)
    assert store.of(release) == values
    assert store.mark("shop@dev/web", {}) == ""
