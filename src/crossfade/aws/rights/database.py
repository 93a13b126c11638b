"""Rights for the database of an environment: a snapshot before a migration, and giving one back."""

from collections.abc import Iterator

from crossfade.aws.resources.names import places
from crossfade.aws.rights.right import Right, arn, everywhere, ours
from crossfade.file.model import App


def snapshots(app: App) -> Iterator[Right]:
    if app.cloud.database is not None and app.cloud.database.snapshot:
        called = places(app)
        taken = arn(app, "rds", f"snapshot:{called.prefix}-before-*")
        yield Right("Snapshots", ("rds:CreateDBSnapshot", "rds:DeleteDBSnapshot"), (taken,))
        known = (arn(app, "rds", f"db:{called.prefix}"), taken)
        yield Right("Database", ("rds:CreateDBSnapshot", "rds:DescribeDBSnapshots"), known)


def dumps(app: App) -> Iterator[Right]:
    """One command on the database's host before a migration, by the one document that hooks of hosts go by, too."""
    if app.cloud.database is None or app.cloud.database.dumps is None:
        return
    document = f"arn:${{partition}}:ssm:{app.cloud.region}::document/AWS-RunShellScript"
    yield Right("LookForDatabase", ("ec2:DescribeInstances",))
    yield Right("Dumps", ("ssm:SendCommand",), (arn(app, "ec2", "instance/*"),), ours(app))
    yield Right("DumpScript", ("ssm:SendCommand",), (document,))
    yield Right("LookAtDumps", ("ssm:GetCommandInvocation", "ssm:ListCommands"))


def restoring(app: App) -> Iterator[Right]:
    """What `crossfade restore database` takes, which a job that deploys has no need of."""
    if app.cloud.database is None:
        return
    if (bucket := app.cloud.database.dumps) is not None:
        yield Right(
            "ListDumps", ("s3:ListBucket",), (everywhere("s3", f"{places(app).prefix}-{bucket}-*", account=""),)
        )
    if app.cloud.database.host:
        return
    prefix = places(app).prefix
    looks = ("rds:DescribeDBInstances", "rds:DescribeDBSnapshots")
    yield Right("LookAtDatabases", looks, (arn(app, "rds", "db:*"), arn(app, "rds", "snapshot:*")))
    # The new one, what it shares with the one beside it, and options and snapshots of any name.
    named = (f"db:{prefix}*", f"pg:{prefix}*", f"subgrp:{prefix}*", "og:*", "snapshot:*")
    restores = ("rds:AddTagsToResource", "rds:RestoreDBInstanceFromDBSnapshot")
    yield Right("RestoreDatabase", restores, tuple(arn(app, "rds", name) for name in named))
    # RDS makes the secret of its password in the name of who asks:
    # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html
    password = ("secretsmanager:CreateSecret", "secretsmanager:TagResource")
    yield Right("DatabasePassword", password, (arn(app, "secretsmanager", "secret:rds!*"),))
