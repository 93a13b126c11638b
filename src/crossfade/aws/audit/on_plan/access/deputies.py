"""Who acts for others: services that come for any account, and jobs and pods of which nobody says whose they are."""

import re
from collections.abc import Iterator

from crossfade.aws.audit.finding import Mark
from crossfade.aws.audit.on_plan.access.conditions import keeps_strangers_out
from crossfade.aws.audit.on_plan.access.statements import Statement, statements
from crossfade.aws.resources.inventory import Inventory
from crossfade.aws.resources.resource import Resource

# What a service brings something to, or fetches it from, because somebody named it in a setting of their own.
_NAMED_BY_OTHERS = (
    *("aws_sqs_queue", "aws_sqs_queue_policy", "aws_sns_topic", "aws_sns_topic_policy"),
    *("aws_s3_bucket", "aws_s3_bucket_policy"),
)
_SERVICE = ".amazonaws.com"
# https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html#cross-service-confused-deputy-prevention
_FOR_WHOM = re.compile(r"aws:source(?:account|arn|orgid|orgpaths|owner)")
# Those that do not say for whom they come, as their own pages give policies for them: access logs of load balancers,
# notifications of developer tools, and rules of EventBridge at a topic.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
# https://docs.aws.amazon.com/dtconsole/latest/userguide/notification-target-create.html
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
_SILENT = re.compile(r"logdelivery\.elasticloadbalancing\.|codestar-notifications\.|ec2\.|lambda\.|ecs-tasks\.")
# AWS Backup tells no topic of another account: https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-notifications.html
_SILENT_AT_TOPICS = frozenset({"events.amazonaws.com", "backup.amazonaws.com"})

_OIDC = "aws_iam_openid_connect_provider"
_CLUSTER = re.compile(r"oidc\.eks\.[\w-]+\.amazonaws\.com/id/")
_GITHUB = "token.actions.githubusercontent.com:"
_WORKFLOW = f"{_GITHUB}job_workflow_ref"
# What tells whose job it is. A workflow that others may call is theirs as well.
_WHOSE = frozenset(
    f"{_GITHUB}{key}"
    for key in (
        *("sub", "repository", "repository_id", "repository_owner", "repository_owner_id"),
        *("actor", "actor_id", "enterprise_id"),
    )
)
_NOT_YET = "none"  # a key, or who is trusted, of which only the apply will tell
_ANY_POD = re.compile(r"\*|system:serviceaccount:[*?]+(?::.*)?")  # a namespace of any name is one that anybody makes
_AUDIENCES = frozenset({"sts.amazonaws.com", "sts.amazonaws.com.cn"})


def for_any_account(inventory: Inventory) -> Iterator[Mark]:
    for resource in inventory.of(*_NAMED_BY_OTHERS):
        for one in statements(inventory, resource):
            if any(_FOR_WHOM.fullmatch(key) and keeps_strangers_out((key, values)) for key, values in one.conditions):
                continue
            for service in _services(one, resource):
                actions = ", ".join(one.actions) or "all but some actions"
                yield Mark(resource.address, f"allows {actions} to {service} for any account")


def _services(one: Statement, resource: Resource) -> Iterator[str]:
    for kind, who in one.principals:
        silent = _SILENT.match(who) or ("_topic" in resource.type and who in _SILENT_AT_TOPICS)
        if kind == "Service" and who.endswith(_SERVICE) and not silent:
            yield who


def whose_is_not_said(inventory: Inventory) -> Iterator[Mark]:
    for role in inventory.of("aws_iam_role"):
        for one in statements(inventory, role, "assume_role_policy"):
            of_cluster = any(kind == "Federated" and _is_cluster(inventory, role, who) for kind, who in one.principals)
            if of_cluster and not any(_tells_the_pod(key, values) for key, values in one.conditions):
                yield Mark(role.address, "every pod of its cluster may take it on: nothing limits `sub`")
            keys = {key for key, _ in one.conditions}
            if _WORKFLOW in keys and keys.isdisjoint(_WHOSE):
                yield Mark(
                    role.address,
                    "`job_workflow_ref` names a workflow and not who calls it: with a public one that is anybody",
                )


def _is_cluster(inventory: Inventory, role: Resource, who: str) -> bool:
    """By its address; one that the same plan makes has none yet."""
    if _CLUSTER.search(who):
        return True
    if who.lower() != _NOT_YET:
        return False
    documents = inventory.referred(role, "assume_role_policy", "aws_iam_policy_document")
    made = (each for one in documents for each in inventory.referred(one, "statement.principals.identifiers", _OIDC))
    return any(inventory.referred(each, "url", "aws_eks_cluster") for each in made)


def _tells_the_pod(key: str, values: tuple[str, ...]) -> bool:
    """A key that is not known yet is `sub` when what it is compared with is no audience."""
    said = key.endswith(":sub") or (key == _NOT_YET and _AUDIENCES.isdisjoint(values))
    return said and bool(values) and not any(map(_ANY_POD.fullmatch, values))


CHECKS = {"CF-SEC-015": for_any_account, "CF-SEC-016": whose_is_not_said}
