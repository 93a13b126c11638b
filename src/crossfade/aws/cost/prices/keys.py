"""The keys of a price book: what can have a price. One that is none of these is a slip of the pen."""

from collections.abc import Iterable

from crossfade.aws.cost.catalog import catalog
from crossfade.file.reading.problem import nearest

# Key -> what one unit of it is.
KEYS: dict[str, str] = {
    "fargate.vcpu-hour.x86": "a vCPU of a Fargate task for an hour",
    "fargate.gb-hour.x86": "a GB of a Fargate task's memory for an hour",
    "fargate.vcpu-hour.arm": "the same on ARM",
    "fargate.gb-hour.arm": "the same on ARM",
    "fargate.vcpu-hour.spot": "the same on spare capacity",
    "fargate.gb-hour.spot": "the same on spare capacity",
    "fargate.vcpu-hour.spot-arm": "the same on spare capacity, on ARM",
    "fargate.gb-hour.spot-arm": "the same on spare capacity, on ARM",
    "ec2.on-dedicated-host": "an hour of a host that stands on a dedicated host, which is billed in its place",
    "alb.hour": "an Application Load Balancer for an hour",
    "alb.lcu-hour": "a capacity unit (LCU) of a load balancer for an hour",
    "nat.hour": "a NAT gateway for an hour",
    "nat.gb": "a GB through a NAT gateway",
    "endpoint.hour": "an interface endpoint in one zone for an hour",
    "public-ipv4.hour": "a public IPv4 address for an hour",
    "egress.gb": "a GB sent to the internet",
    "between-zones.gb": "a GB from one zone to another, in one direction",
    "cloudfront.gb": "a GB sent by CloudFront, after the first 1,024 of a month",
    "rds.gb-month.gp3.single": "a GB of an RDS disk for a month",
    "rds.gb-month.gp3.multi": "a GB of an RDS disk in two zones for a month",
    "rds.gb-month.gp2.single": "the same on gp2",
    "rds.gb-month.gp2.multi": "the same on gp2",
    "rds.backup-gb-month": "a GB of RDS backups beyond the database's own size for a month",
    "ebs.gb-month.gp2": "a GB of an EBS volume for a month",
    "ebs.gb-month.gp3": "the same on gp3",
    "ebs.snapshot-gb-month": "a GB of snapshots for a month",
    "s3.gb-month.standard": "a GB in S3 Standard for a month",
    "s3.put-1k": "1,000 PUT, COPY, POST or LIST requests of S3",
    "s3.get-10k": "10,000 GET requests of S3",
    "ecr.gb-month": "a GB of images for a month",
    "dynamodb.on-demand": "a DynamoDB table that is paid by request",
    "logs.in-gb": "a GB of logs that comes in",
    "logs.stored-gb-month": "a GB of logs kept for a month",
    "cloudwatch.metric-month": "a metric of your own for a month",
    "cloudwatch.alarm-month": "an alarm for a month",
    "cloudwatch.fast-alarm-month": "an alarm that looks more often than every minute, for a month",
    "cloudwatch.composite-alarm-month": "an alarm made of alarms, for a month",
    "cloudwatch.dashboard-month": "a dashboard for a month",
    "cloudwatch.insights-month": "Container Insights of a cluster for a month",
    "xray.traces-1m": "a million traces, after the first 100,000 of a month",
    "secrets.secret-month": "a secret for a month",
    "secrets.calls-10k": "10,000 times that a secret is read",
    "kms.key-month": "a key of your own for a month",
    "kms.requests-10k": "10,000 requests to keys of your own",
    "route53.zone-month": "a hosted zone for a month",
    "route53.queries-1m": "a million DNS queries",
    "codepipeline.month": "a pipeline for a month",
    "codebuild.minute.small": "a minute of a small build machine",
    "codebuild.minute.medium": "a minute of a medium build machine",
    "codebuild.minute.large": "a minute of a large build machine",
    "codebuild.minute.small-arm": "the same on ARM",
    "codebuild.minute.medium-arm": "the same on ARM",
    "codebuild.minute.large-arm": "the same on ARM",
    "cloudtrail.trail-month": "a further copy of the account's management events for a month",
    "guardduty.month": "GuardDuty for a month",
    "fargate.vcpu-hour.windows": "the same with Windows",
    "fargate.gb-hour.windows": "the same with Windows",
    "fargate.disk-gb-hour": "a GB of a Fargate task's disk beyond 20, for an hour",
    "nlb.hour": "a Network Load Balancer for an hour",
    "nlb.lcu-hour": "a capacity unit (NLCU) of it for an hour",
    "gwlb.hour": "a Gateway Load Balancer for an hour",
    "gwlb.lcu-hour": "a capacity unit (GLCU) of it for an hour",
    "clb.hour": "a Classic Load Balancer for an hour",
    "clb.gb": "a GB through it",
    "endpoint.gb": "a GB through an endpoint",
    "endpoint.gwlb-gb": "a GB through an endpoint of a Gateway Load Balancer",
    "cloudfront.dedicated-ip-month": "a certificate with IP addresses of its own at CloudFront's edge, for a month",
    "cloudfront.requests-10k": "10,000 HTTPS requests of CloudFront",
    "ebs.io-1m.standard": "a million requests of a magnetic volume",
    "dms.gb-month": "a GB of a disk of DMS beyond what is included, for a month",
    "dms.gb-month.multi": "the same in two zones",
    "aurora.cpu-credit-hour": "a core for an hour beyond what a burstable class of Aurora earns",
    "docdb.cpu-credit-hour": "the same of DocumentDB",
    "neptune.cpu-credit-hour": "the same of Neptune",
    "dms.cpu-credit-hour": "the same of DMS",
    "aurora.acu-hour": "a capacity unit of Aurora Serverless for an hour",
    "aurora.io-acu-hour": "the same with input and output included",
    "neptune.ncu-hour": "a capacity unit of Neptune Serverless for an hour",
    "neptune.io-ncu-hour": "the same with input and output included",
    "rds.io-1m": "a million requests of a magnetic disk",
    "rds.extended-vcpu-hour.year-1": "a core of a version past its standard support, in the first two years",
    "rds.extended-vcpu-hour.year-3": "the same in the third",
    "docdb.extended-vcpu-hour.year-1": "the same of DocumentDB",
    "docdb.extended-vcpu-hour.year-3": "the same of DocumentDB, in the third",
    "eks.extended-hour": "a control plane of a version past its standard support, on top of its price",
    "elasticache.backup-gb-month": "a GB of backups of caches for a month",
    "dynamodb.rcu-hour": "a unit of read capacity for an hour",
    "dynamodb.wcu-hour": "a unit of write capacity for an hour",
    "dynamodb.rcu-hour-ia": "the same of a table that is rarely used",
    "dynamodb.wcu-hour-ia": "the same of a table that is rarely used",
    "dynamodb.rru-1m": "a million units read on demand",
    "dynamodb.wru-1m": "a million units written on demand",
    "dynamodb.rru-1m-ia": "the same of a table that is rarely used",
    "dynamodb.wru-1m-ia": "the same of a table that is rarely used",
    "dynamodb.gb-month": "a GB of a table for a month",
    "dynamodb.gb-month-ia": "the same of a table that is rarely used",
    "dynamodb.pitr-gb-month": "a GB of a table that can go back to any time, for a month",
    "codepipeline.minute": "a minute of an action of a pipeline of type V2",
}
# What begins like this ends in a class, a kind or a size: ec2.hour.t3.micro, rds.hour.postgres.multi.db.t4g.small.
_ENGINES = (
    *("postgres", "mysql", "mariadb", "db2-ae", "db2-se", "oracle-ee", "oracle-ee-cdb", "oracle-se2", "oracle-se2-cdb"),
    *("sqlserver-ee", "sqlserver-se", "sqlserver-ex", "sqlserver-web"),
)
CLASSES: tuple[str, ...] = (
    *(f"ec2.{way}hour." for way in ("", "spot-", "windows-", "dedicated-", "ebs-optimized-", "cpu-credit-")),
    *(f"rds.hour.{engine}.{zones}.db." for engine in _ENGINES for zones in ("single", "multi")),
    *(f"elasticache.hour.{engine}.cache." for engine in ("redis", "valkey", "memcached")),
)
KINDS: tuple[str, ...] = (
    *("ebs.gb-month.", "ebs.iops-month.", "ebs.mbps-month.", "ec2.cpu-credit-hour."),
    *("rds.gb-month.", "rds.iops-month.", "rds.mbps-month.", "rds.cpu-credit-hour.", "codebuild.minute."),
)


def unknown(key: str) -> str | None:
    """None for a key that can have a price, else the one that was probably meant, or nothing."""
    if key in KEYS or _in(key, KINDS) or any(_in(key, [each]) and "." in key.removeprefix(each) for each in CLASSES):
        return None
    tables = [name for name, _ in catalog.priced()]
    if key in tables or _in(key, [name for name in tables if name[-1] in ".=-"]):
        return None
    return nearest(key, [*KEYS, *(f"{prefix}t4g.micro" for prefix in CLASSES), *tables])


def _in(key: str, prefixes: Iterable[str]) -> bool:
    return any(key.startswith(prefix) and key != prefix for prefix in prefixes)
