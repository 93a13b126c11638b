"""The bootstrap, before Terraform can make anything: its state's bucket and table, and the journal's table.

Plain calls and not Terraform, because Terraform would need a place for the state of these. The journal is no
environment's: it outlives each of them, as the history of releases should. Each step looks first
and changes what is not as it should be, so a run that broke off half-way is mended by running it again, by anybody.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from crossfade.aws.owner import require_owner
from crossfade.aws.places import JOURNAL_KEYS, partition
from crossfade.aws.terraform.trouble import way_out_of
from crossfade.core.errors import PlatformError, WrongInputError

TLS_ONLY = "crossfade-tls-only"
KEEP_DAYS = 90  # of overwritten states: long enough to find out that one is missing
RULE = "crossfade-old-versions"
LOCK_KEY = "LockID"  # https://developer.hashicorp.com/terraform/language/backend/s3#dynamodb-state-locking
CLOSED = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatePlace:
    """Where an app's state lives, and its journal of releases."""

    region: str
    account: str | None  # whose it has to be; None: whoever's the credentials are
    bucket: str
    table: str | None  # None: the state is locked by a file beside it
    journal: str
    tags: Mapping[str, str]


def bootstrap(place: StatePlace) -> Iterator[str]:
    """Make both, or what is missing of them; says each thing that was done, after it was."""
    try:
        from botocore.session import get_session  # type: ignore[import-untyped]  # noqa: PLC0415  needed here alone
    except ImportError as missing:
        raise PlatformError(
            "bootstrap talks to AWS with botocore, which is not installed", "pip install 'crossfade[aws]'"
        ) from missing
    session = get_session()
    with _errors_told(place):
        if place.account:
            sts = session.create_client("sts", region_name=place.region)
            require_owner(sts.get_caller_identity()["Account"], place.account)
        yield from _bucket(session.create_client("s3", region_name=place.region), place)
        dynamodb = session.create_client("dynamodb", region_name=place.region)
        if place.table is not None:
            yield from _table(dynamodb, place, place.table, (LOCK_KEY,), "cloud: {state: {table: ...}}")
        yield from _table(dynamodb, place, place.journal, JOURNAL_KEYS, "another `app`")
        yield from _kept(dynamodb, place.journal)


def _bucket(s3: Any, place: StatePlace) -> Iterator[str]:
    name = place.bucket
    found = _unless(lambda: s3.head_bucket(Bucket=name), "404", "NoSuchBucket")
    if found is None:
        where = {"CreateBucketConfiguration": {"LocationConstraint": place.region}}
        s3.create_bucket(Bucket=name, **(where if place.region != "us-east-1" else {}))
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": _tags(place)})
        yield f"bucket {name} is made"
    elif found.get("BucketRegion", place.region) != place.region:
        raise WrongInputError(
            f"the bucket {name} is in {found['BucketRegion']}, and the environment in {place.region}",
            "name another one: cloud: {state: {bucket: ...}}",
        )
    blocked = _unless(lambda: s3.get_public_access_block(Bucket=name), "NoSuchPublicAccessBlockConfiguration")
    if not blocked or blocked["PublicAccessBlockConfiguration"] != CLOSED:
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=CLOSED)
        yield f"bucket {name} is closed to the public"
    if s3.get_bucket_versioning(Bucket=name).get("Status") != "Enabled":
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        yield f"bucket {name} keeps overwritten states"
    if not _unless(lambda: s3.get_bucket_encryption(Bucket=name), "ServerSideEncryptionConfigurationNotFoundError"):
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
        yield f"bucket {name} is encrypted"
    yield from _tls_only(s3, place)
    kept = _unless(lambda: s3.get_bucket_lifecycle_configuration(Bucket=name), "NoSuchLifecycleConfiguration")
    rules = (kept or {}).get("Rules", [])
    if all(rule.get("ID") != RULE for rule in rules):
        ours = {
            "ID": RULE,
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "NoncurrentVersionExpiration": {"NoncurrentDays": KEEP_DAYS},
        }
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [*rules, ours]})
        yield f"bucket {name} drops overwritten states after {KEEP_DAYS} days"


def _tls_only(s3: Any, place: StatePlace) -> Iterator[str]:
    """A state holds passwords: it travels encrypted, whoever asks. Statements that are there already stay."""
    name = place.bucket
    bucket = f"arn:{partition(place.region)}:s3:::{name}"
    found = _unless(lambda: s3.get_bucket_policy(Bucket=name), "NoSuchBucketPolicy")
    policy: dict[str, Any] = json.loads(found["Policy"]) if found else {"Version": "2012-10-17", "Statement": []}
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    if any(statement.get("Sid") == TLS_ONLY for statement in statements):
        return
    deny = {
        "Sid": TLS_ONLY,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket, f"{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({**policy, "Statement": [*statements, deny]}))
    yield f"bucket {name} is reached over TLS only"


def _table(dynamodb: Any, place: StatePlace, name: str, keys: tuple[str, ...], way_out: str) -> Iterator[str]:
    found = _unless(lambda: dynamodb.describe_table(TableName=name), "ResourceNotFoundException")
    schema = [{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)]
    if found is None:
        dynamodb.create_table(
            TableName=name,
            KeySchema=schema,
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            BillingMode="PAY_PER_REQUEST",
            Tags=_tags(place),
        )
    elif found["Table"]["KeySchema"] != schema:
        raise WrongInputError(
            f"the table {name} has a different key from {' and '.join(keys)}: it is somebody else's",
            f"name another one: {way_out}",
        )
    dynamodb.get_waiter("table_exists").wait(TableName=name)
    if found is None:
        yield f"table {name} is made"


def _kept(dynamodb: Any, name: str) -> Iterator[str]:
    """The journal can be brought back as it was at any second of the last 35 days, and is not deleted by mistake."""
    if not dynamodb.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled"):
        dynamodb.update_table(TableName=name, DeletionProtectionEnabled=True)
        dynamodb.get_waiter("table_exists").wait(TableName=name)
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    if backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus") != "ENABLED":
        dynamodb.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
        yield f"table {name} can be brought back as it was at any time of the last 35 days"


def _unless(ask: Callable[[], Mapping[str, Any]], *absent: str) -> Mapping[str, Any] | None:
    """The answer, or None when AWS says in one of these words that there is none."""
    from botocore.exceptions import ClientError  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        return ask()
    except ClientError as error:
        if error.response["Error"]["Code"] in absent:
            return None
        raise


def _tags(place: StatePlace) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in place.tags.items()]


@contextmanager
def _errors_told(place: StatePlace) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    again = "what was made stays; run it again"
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in {"403", "BucketAlreadyExists"} and error.operation_name in {"HeadBucket", "CreateBucket"}:
            raise WrongInputError(
                f"the bucket {place.bucket} belongs to another account, or you may not look at it",
                "bucket names are shared by the whole world: choose one with cloud: {state: {bucket: ...}}",
            ) from error
        raise PlatformError(f"{error.operation_name}: {error}", way_out_of(str(error)) or again) from error
    except BotoCoreError as error:
        raise PlatformError(f"AWS in {place.region}: {error}", way_out_of(str(error)) or again) from error
