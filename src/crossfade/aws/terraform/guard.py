"""The guard of an environment and its data: what a plan would end, and what has to be said before it may."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crossfade.aws.terraform.changes import Changes, ResourceChange
from crossfade.file.model import App

Values = Mapping[str, Any]
_PROTECTIONS = ("deletion_protection", "enable_deletion_protection", "deletion_protection_enabled")


@dataclass(frozen=True, slots=True)
class DataLoss:
    """Something that holds data and would be gone, and what becomes of the data."""

    address: str
    what: str
    fate: str

    def __str__(self) -> str:
        return f"{self.what} ({self.address}): {self.fate}"


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked before anything happens. Without a `phrase` to type, yes or no."""

    text: str
    option: str  # says the same where nobody can be asked
    phrase: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidBefore:
    """What was said with options, before anybody asked."""

    yes: bool = False
    confirm: str | None = None
    with_data: bool = False

    def answers(self, question: Question) -> bool:
        return {
            "--yes": self.yes,
            "--with-data": self.with_data,
            f"--confirm {self.confirm}": True,
        }.get(question.option, False)


def is_guarded(app: App) -> bool:
    """True where a change has to be confirmed by name: production, and what is protected or paid for as if it were."""
    database = app.cloud.database
    return app.production or bool(app.cloud.load_balancer.protect) or (database is not None and database.multi_az)


def questions(
    changes: Changes, environment: str, *, production: bool, destroying: bool = False
) -> tuple[Question, ...]:
    """All that has to be confirmed before these changes are made; nothing when there are none."""
    if not changes:
        return ()
    asked = []
    if production or destroying:
        doing = "destroys" if destroying else "changes"
        asked.append(
            Question(
                f"This {doing} {environment}. Type its name to go on.", f"--confirm {environment}", phrase=environment
            )
        )
    else:
        asked.append(Question(f"Apply this to {environment}?", "--yes"))
    if losses(changes):
        phrase = f"destroy data of {environment}"
        asked.append(Question(f'Data will be lost. Type "{phrase}" to go on.', "--with-data", phrase=phrase))
    return tuple(asked)


def protected(changes: Changes) -> tuple[str, ...]:
    """What these changes end and AWS will not let go. To find out half-way would leave half an environment."""
    return tuple(
        change.address for change in changes.resources if change.ends and any(map(change.before.get, _PROTECTIONS))
    )


def losses(changes: Changes) -> tuple[DataLoss, ...]:
    """Everything that holds data and that these changes delete, or replace by an empty one."""
    return tuple(loss for change in changes.resources if change.ends and (loss := _loss(change)) is not None)


def _loss(change: ResourceChange) -> DataLoss | None:
    holds = _HOLDS.get(change.type)
    found = holds(change.before) if holds else None
    if found is None:
        return None
    what, fate = found
    return DataLoss(change.address, what, f"{fate}; an empty one follows" if change.action == "replace" else fate)


def _database(of: Values) -> tuple[str, str] | None:
    if of.get("replicate_source_db"):
        return None  # a read replica: the data is elsewhere
    size = f", {of['allocated_storage']} GB" if of.get("allocated_storage") else ""
    what = f"database {of.get('identifier') or of.get('cluster_identifier') or ''}{size}"
    if of.get("skip_final_snapshot", False):
        return what, "no last snapshot is kept"
    return what, f"the last snapshot {of.get('final_snapshot_identifier') or ''} is kept".replace("  ", " ")


def _cache(of: Values) -> tuple[str, str] | None:
    if not of.get("snapshot_retention_limit"):
        return None  # without snapshots it was never meant to keep anything
    name = of.get("replication_group_id") or of.get("cluster_id") or ""
    last = of.get("final_snapshot_identifier")
    return f"cache {name}", f"the last snapshot {last} is kept" if last else "its contents and its snapshots are lost"


def _bucket(of: Values) -> tuple[str, str]:
    fate = "all objects in it are lost" if of.get("force_destroy") else "AWS refuses this until it is empty"
    return f"bucket {of.get('bucket', '')}", fate


def _registry(of: Values) -> tuple[str, str]:
    fate = "all images in it are lost" if of.get("force_delete") else "AWS refuses this until it is empty"
    return f"registry {of.get('name', '')}", fate


def _secret(of: Values) -> tuple[str, str]:
    days = of.get("recovery_window_in_days", 30)
    return f"secret {of.get('name', '')}", f"can be restored for {days} days" if days else "goes at once"


def _volume(of: Values) -> tuple[str, str]:
    fate = "a last snapshot is kept" if of.get("final_snapshot") else "no last snapshot is kept"
    return f"volume {of.get('id', '')}, {of.get('size', '?')} GB", fate


def _key(of: Values) -> tuple[str, str]:
    days = of.get("deletion_window_in_days") or 30
    return f"key {of.get('key_id', '')}", f"what it encrypted can be read for {days} more days and never again"


def _named(noun: str, key: str, fate: str) -> Callable[[Values], tuple[str, str]]:
    return lambda of: (f"{noun} {of.get(key, '')}", fate)


_HOLDS: Mapping[str, Callable[[Values], tuple[str, str] | None]] = {
    "aws_backup_vault": _named("backup vault", "name", "AWS refuses this until it is empty"),
    "aws_cloudwatch_log_group": _named("log group", "name", "all logs in it are lost"),
    "aws_db_instance": _database,
    "aws_db_snapshot": _named("snapshot", "db_snapshot_identifier", "it goes"),
    "aws_docdb_cluster": _database,
    "aws_dynamodb_table": _named("table", "name", "all items in it are lost"),
    "aws_ebs_snapshot": _named("snapshot", "id", "it goes"),
    "aws_ebs_volume": _volume,
    "aws_ecr_repository": _registry,
    "aws_efs_file_system": _named("file system", "id", "all files in it are lost"),
    "aws_elasticache_cluster": _cache,
    "aws_elasticache_replication_group": _cache,
    "aws_kms_key": _key,
    "aws_opensearch_domain": _named("search domain", "domain_name", "all documents in it are lost"),
    "aws_rds_cluster": _database,
    "aws_s3_bucket": _bucket,
    "aws_secretsmanager_secret": _secret,
    "aws_sqs_queue": _named("queue", "name", "all messages in it are lost"),
}
