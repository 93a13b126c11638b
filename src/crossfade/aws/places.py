"""Places of releases on AWS: the names that Terraform gives, and the tags by which a deploy finds what has them.

A name is for people and for rights, which name what they are for; it may be cut or completed by AWS. A deploy goes by
tags: all that is an environment's has APP and ENVIRONMENT, and what is of one service or colour says which.
"""

from dataclasses import dataclass

APP = "crossfade:app"
ENVIRONMENT = "crossfade:environment"
SERVICE = "crossfade:service"  # on services, target groups, rules; on the listener, whose rest is a service's
COLOUR = "crossfade:colour"  # on services and target groups
HOST = "crossfade:host"  # on hosts that stay: the number of each, by which a release goes from one to the next
GROUP = "crossfade:group"  # on hosts of an Auto Scaling group whose revisions CodeDeploy brings: the group's name
LEAST = "crossfade:least"  # on Auto Scaling groups: the least size of the one that serves
DUMPS = "crossfade:dumps"  # on a database's own host: the bucket that its dumps go to
ENGINE = "crossfade:engine"  # on the same: postgres, mysql or mariadb
PREVIEW = "crossfade:preview"  # on the rule that leads to a release before visitors see it: the service's name

JOURNAL_KEYS = ("place", "line")  # of the journal's table: partition and sort, both text

# The order is that of the first deploy: what is made begins with blue.
COLOURS = BLUE, GREEN = ("blue", "green")


# What ARNs begin with: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


def partition(region: str) -> str:
    """The part of AWS that a region belongs to: `aws` for most of the world."""
    return next((name for start, name in _PARTITIONS.items() if region.startswith(start)), "aws")


@dataclass(frozen=True, slots=True)
class Places:
    """The places of one environment of an app, before and without asking AWS."""

    app: str
    environment: str

    @property
    def prefix(self) -> str:
        """What every name begins with; the names of the cluster and of the load balancer are no longer than it."""
        return f"{self.app}-{self.environment}"

    @property
    def journal(self) -> str:
        """The DynamoDB table with the journal, the lease and the ledger: one for all environments of an app."""
        return f"{self.app}-crossfade"

    @property
    def journal_place(self) -> str:
        """Which part of that table is this environment's: the partition key of all its items."""
        return f"{self.app}@{self.environment}"

    def family(self, service: str) -> str:
        """The task definitions of a service, of both colours."""
        return f"{self.prefix}-{service}"

    def log_group(self, service: str) -> str:
        """What tasks of both colours write."""
        return f"/ecs/{self.family(service)}"

    @property
    def schedules(self) -> str:
        """The group of EventBridge's schedules by which jobs begin."""
        return self.prefix

    def schedule(self, service: str, job: str = "") -> str:
        """One of them; without a job what all of a service begin with. No name of either has a dot."""
        return f"{service}.{job}"

    @property
    def jobs_role(self) -> str:
        """By which EventBridge begins a job's task."""
        return f"{self.prefix}-jobs"

    @property
    def jobs_log_group(self) -> str:
        """How each run of a job ended, as ECS says it."""
        return f"/aws/events/{self.prefix}-jobs"

    @property
    def hosts_log_group(self) -> str:
        """What containers on hosts write."""
        return f"/{self.prefix}/hosts"

    @property
    def processes_log(self) -> str:
        """The file on each host that its processes write to."""
        return f"/opt/{self.app}/logs/app.log"

    @property
    def site(self) -> str:
        """What the distribution before the site is called."""
        return f"{self.prefix} site"

    def repository(self, service: str) -> str:
        """The ECR repository of a service's images."""
        return f"{self.prefix}/{service}"

    def coloured(self, service: str, colour: str) -> str:
        """The ECS service or the Auto Scaling group of a colour, and its target group: both are called the same."""
        return f"{self.family(service)}-{colour}"

    def tags(self, service: str = "", colour: str = "") -> dict[str, str]:
        """What a place is tagged with, and by what it is found."""
        known = {APP: self.app, ENVIRONMENT: self.environment, SERVICE: service, COLOUR: colour}
        return {key: value for key, value in known.items() if value}
