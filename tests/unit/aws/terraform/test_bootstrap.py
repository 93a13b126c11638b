"""What `infra bootstrap` makes, on an AWS of shapes."""

import json
from collections.abc import Iterator

import pytest
from tests.support.moto import REGION, moto

from crossfade.aws.terraform.bootstrap import StatePlace, bootstrap
from crossfade.core.errors import WrongInputError


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    with moto() as endpoint, pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_ENDPOINT_URL", endpoint)
        yield endpoint


def place(app: str, *, locked_by_table: bool = True, account: str | None = None) -> StatePlace:
    table = f"{app}-terraform-lock" if locked_by_table else None
    tags = {"Project": app, "crossfade:app": app}
    return StatePlace(
        account=account,
        region=REGION,
        bucket=f"{app}-terraform-state",
        table=table,
        journal=f"{app}-crossfade",
        tags=tags,
    )


def tables(app: str) -> list[str]:
    from botocore.session import get_session

    names = get_session().create_client("dynamodb", region_name=REGION).list_tables()["TableNames"]
    return sorted(name for name in names if name.startswith(app))


def test_a_table_for_the_state_and_one_for_releases(aws: str) -> None:
    """Both are made once; a second run finds everything as it should be."""
    done = list(bootstrap(place("one")))
    assert "bucket one-terraform-state is reached over TLS only" in done
    assert tables("one") == ["one-crossfade", "one-terraform-lock"]
    assert list(bootstrap(place("one"))) == []


def test_a_state_that_is_locked_by_a_file_needs_no_table(aws: str) -> None:
    """With `state: {lock: file}` only the journal has one."""
    list(bootstrap(place("two", locked_by_table=False)))
    assert tables("two") == ["two-crossfade"]


def test_in_another_account_than_the_files_nothing_is_made(aws: str) -> None:
    """In the one that it names it is."""
    with pytest.raises(WrongInputError, match="credentials belong to account 123456789012"):
        list(bootstrap(place("other", account="999999999999")))
    assert tables("other") == []
    assert list(bootstrap(place("other", account="123456789012")))


def test_the_buckets_policy_names_it(aws: str) -> None:
    """In the region's own part of AWS."""
    from botocore.session import get_session

    list(bootstrap(place("three")))
    s3 = get_session().create_client("s3", region_name=REGION)
    policy = json.loads(s3.get_bucket_policy(Bucket="three-terraform-state")["Policy"])
    bucket = "arn:aws:s3:::three-terraform-state"
    assert policy["Statement"][0]["Resource"] == [bucket, f"{bucket}/*"]
