"""What roles, users and groups of a plan may do."""

import re
from collections.abc import Iterator

from crossfade.aws.audit.finding import Mark
from crossfade.aws.audit.on_plan.access.statements import Statement, listed, of_document, parsed
from crossfade.aws.resources.inventory import Inventory, blocks
from crossfade.aws.resources.resource import Resource

# Where each type keeps what it allows.
_POLICIES = {
    "aws_iam_policy": "policy",
    "aws_iam_role_policy": "policy",
    "aws_iam_user_policy": "policy",
    "aws_iam_group_policy": "policy",
    "aws_ssoadmin_permission_set_inline_policy": "inline_policy",
}
_ATTACHMENTS = (
    *("aws_iam_role_policy_attachment", "aws_iam_user_policy_attachment"),
    *("aws_iam_group_policy_attachment", "aws_iam_policy_attachment", "aws_ssoadmin_managed_policy_attachment"),
    *(f"aws_iam_{who}_policy_attachments_exclusive" for who in ("role", "user", "group")),
)
# Policies that AWS keeps, by what is found in one written out:
# https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
_MANAGED = (
    ("CF-SEC-003", re.compile("AdministratorAccess")),
    ("CF-SEC-004", re.compile("SecretsManagerReadWrite")),
    ("CF-SEC-005", re.compile(r"PowerUserAccess|AdministratorAccess-.*|(?:System|Database|Network)Administrator")),
    ("CF-SEC-005", re.compile(r"(?!.*Invoke).*FullAccess(?:V\d+)?")),
    ("CF-SEC-010", re.compile("IAMFullAccess|AmazonSSMFullAccess|AWSCloudFormationFullAccess|AmazonEC2FullAccess")),
)
_WHOLE_SERVICE = re.compile(r"[a-z0-9-]+:\*", re.IGNORECASE)
# Actions that AWS takes no narrower resource for, so that `*` is all one can write.
_NO_RESOURCE = frozenset({"ssmmessages:*", "ec2messages:*"})
_PARAMETERS = ("ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath")
# Each gives strangers what is here: by a policy of the thing itself, a grant or a share.
_EXPOSING = (
    *("s3:PutBucketPolicy", "s3:PutBucketAcl", "s3:PutObjectAcl", "s3:PutBucketPublicAccessBlock"),
    *("s3:PutAccountPublicAccessBlock", "kms:PutKeyPolicy", "kms:CreateGrant", "secretsmanager:PutResourcePolicy"),
    *("lambda:AddPermission", "sqs:AddPermission", "sns:AddPermission", "ecr:SetRepositoryPolicy"),
    *("ec2:ModifySnapshotAttribute", "ec2:ModifyImageAttribute", "rds:ModifyDBSnapshotAttribute"),
    *("ram:CreateResourceShare", "ssm:ModifyDocumentPermission", "backup:PutBackupVaultAccessPolicy"),
)
# Each has nobody see what is done next.
_BLINDING = (
    *("cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "cloudtrail:PutEventSelectors", "logs:DeleteLogGroup"),
    *("guardduty:DeleteDetector", "guardduty:UpdateDetector", "config:StopConfigurationRecorder"),
    *("config:DeleteConfigurationRecorder", "securityhub:DisableSecurityHub", "ec2:DeleteFlowLogs"),
)
# What is read with them is data, of everything that is there.
_READING = (
    *("s3:GetObject", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "kinesis:GetRecords"),
    *("sqs:ReceiveMessage", "rds-data:ExecuteStatement", "redshift-data:ExecuteStatement", "ebs:GetSnapshotBlock"),
)
_DECRYPTING = ("kms:Decrypt", "kms:ReEncryptFrom")
_EVERY_SECRET = re.compile(r"\*|arn:aws[\w-]*:secretsmanager:[^:]*:[^:]*:(?:secret:)?\*")
# Each of these on `*` makes an administrator of who has it: by keys or passwords of others, by rights it gives itself,
# by taking on roles, or by code that runs with somebody else's.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege
_ESCALATIONS = (
    *("iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile", "iam:AddUserToGroup"),
    *("iam:AttachUserPolicy", "iam:AttachRolePolicy", "iam:AttachGroupPolicy"),
    *("iam:PutUserPolicy", "iam:PutRolePolicy", "iam:PutGroupPolicy"),
    *("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:UpdateAssumeRolePolicy"),
    *("iam:DeleteUserPermissionsBoundary", "iam:DeleteRolePermissionsBoundary"),
    *("sts:AssumeRole", "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"),
    *("ssm:SendCommand", "ssm:StartSession", "ecs:ExecuteCommand", "ec2-instance-connect:SendSSHPublicKey"),
    *("cloudformation:SetStackPolicy", "cloudformation:UpdateStack", "cloudformation:ExecuteChangeSet"),
    *("glue:UpdateDevEndpoint", "glue:UpdateJob", "codestar:CreateProject", "codebuild:StartBuild"),
    *("iam:UpdateSAMLProvider", "sagemaker:CreatePresignedNotebookInstanceUrl", "sagemaker:CreatePresignedDomainUrl"),
    *("ssm:StartAutomationExecution", "ssm:CreateAssociation", "ec2:ModifyInstanceAttribute"),
    *("sso:AttachManagedPolicyToPermissionSet", "sso:PutInlinePolicyToPermissionSet"),
    *("sso:CreateAccountAssignment", "identitystore:CreateGroupMembership"),
)


def _given(inventory: Inventory) -> Iterator[Statement]:
    """What is allowed to somebody in this account, as opposed to policies of resources, which name who asks."""
    for policy in inventory.of(*_POLICIES):
        if not _bounds(inventory, policy):
            yield from parsed(policy.address, policy.values.get(_POLICIES[policy.type]))
    for role in inventory.of("aws_iam_role"):
        for inline in blocks(role.values, "inline_policy"):
            yield from parsed(role.address, inline.get("policy"))
    for document in inventory.of("aws_iam_policy_document"):  # data, as far as its statements are known
        users = inventory.referring(document)
        if not users or not all(_bounds(inventory, user) for user in users):
            yield from (statement for statement in of_document(document) if not statement.principals)


def _bounds(inventory: Inventory, policy: Resource) -> bool:
    """Whether it gives nobody anything: a boundary of permissions, or what an organisation lets accounts do at most."""
    users = inventory.referring(policy, "aws_iam_role", "aws_iam_user")
    bounded = any(policy.address in user.refers.get("permissions_boundary", ()) for user in users)
    given = any(policy.address in user.refers.get("managed_policy_arns", ()) for user in users)
    given = given or any(inventory.referring(policy, *_ATTACHMENTS))
    return policy.type == "aws_organizations_policy" or (bounded and not given)


def _attached(inventory: Inventory, rule: str) -> Iterator[Mark]:
    """Policies of AWS's own that are given to somebody."""
    named = ("policy_arn", "managed_policy_arn")
    given = [(one.address, one.values.get(key)) for one in inventory.of(*_ATTACHMENTS) for key in named]
    for holder in inventory.of("aws_iam_role", *_ATTACHMENTS):
        for key in ("managed_policy_arns", "policy_arns"):
            given += [(holder.address, arn) for arn in listed(holder.values.get(key))]
    for address, arn in given:
        name = str(arn).rpartition("/")[2]
        known = any(id_ == rule and names.fullmatch(name) for id_, names in _MANAGED)
        if known and str(arn).split(":")[3:5] == ["", "aws"]:
            yield Mark(address, f"gives {name}")


def everything(inventory: Inventory) -> Iterator[Mark]:
    yield from _attached(inventory, "CF-SEC-003")
    for one in _given(inventory):
        if one.all_but and one.anywhere:
            yield Mark(one.address, "allows all but some actions (NotAction) on *")
        elif one.everything:
            yield Mark(one.address, f"allows * on {', '.join(one.resources)}")


def every_secret(inventory: Inventory) -> Iterator[Mark]:
    yield from _attached(inventory, "CF-SEC-004")
    for one in _given(inventory):
        pattern = one.permits("secretsmanager:GetSecretValue")
        wide = [resource for resource in one.resources if _EVERY_SECRET.fullmatch(resource)]
        if pattern and wide and not one.limited:
            yield Mark(one.address, f"allows {pattern} on {wide[0]}")
        read = dict.fromkeys(pattern for action in _PARAMETERS if (pattern := one.permits(action)))
        if read and one.widely and not one.limited:
            yield Mark(one.address, f"allows {', '.join(read)} on {_widest(one)}: SecureStrings, too")


def whole_services(inventory: Inventory) -> Iterator[Mark]:
    yield from _attached(inventory, "CF-SEC-005")
    for one in _given(inventory):
        whole = [each for each in one.actions if _WHOLE_SERVICE.fullmatch(each) and each.lower() not in _NO_RESOURCE]
        whole = [each for each in whole if not one.forbids(each)]
        if whole and one.widely and not one.limited:
            yield Mark(one.address, f"allows {', '.join(whole)} on {_widest(one)}")


def any_role(inventory: Inventory) -> Iterator[Mark]:
    for one in _given(inventory):
        if (pattern := one.permits("iam:PassRole")) and one.widely and not one.limited:
            yield Mark(one.address, f"allows {pattern} on {_widest(one)}")


def ways_up(inventory: Inventory) -> Iterator[Mark]:
    yield from _attached(inventory, "CF-SEC-010")
    for one in _given(inventory):
        if one.widely and not one.limited:
            ways = dict.fromkeys(pattern for action in _ESCALATIONS if (pattern := one.permits(action)))
            if ways:
                yield Mark(one.address, f"allows {', '.join(ways)} on {_widest(one)}")


def every_key(inventory: Inventory) -> Iterator[Mark]:
    for one in _given(inventory):
        may = dict.fromkeys(pattern for action in _DECRYPTING if (pattern := one.permits(action)))
        if may and one.widely and not one.limited:
            yield Mark(one.address, f"allows {', '.join(may)} on {_widest(one)}")


def all_data(inventory: Inventory) -> Iterator[Mark]:
    return _anywhere(inventory, _READING)


def exposes(inventory: Inventory) -> Iterator[Mark]:
    return _anywhere(inventory, _EXPOSING)


def blinds(inventory: Inventory) -> Iterator[Mark]:
    return _anywhere(inventory, _BLINDING)


def _anywhere(inventory: Inventory, actions: tuple[str, ...]) -> Iterator[Mark]:
    """Some of these actions on everything, by less than a whole service, which is a finding of its own."""
    for one in _given(inventory):
        if one.widely and not one.limited:
            may = dict.fromkeys(pattern for action in actions if (pattern := one.permits(action)))
            if some := [pattern for pattern in may if not _WHOLE_SERVICE.fullmatch(pattern)]:
                yield Mark(one.address, f"allows {', '.join(some)} on {_widest(one)}")


def _widest(one: Statement) -> str:
    return min(one.resources, key=len)


def one_role(inventory: Inventory) -> Iterator[Mark]:
    """The role of the agent that starts a task, given to what runs in it."""
    for task in inventory.of("aws_ecs_task_definition"):
        agent, own = (
            task.values.get(key) or frozenset(task.refers.get(key, ()))
            for key in ("execution_role_arn", "task_role_arn")
        )
        if agent and agent == own:
            yield Mark(task.address, "execution_role_arn and task_role_arn are one role")


CHECKS = {
    "CF-SEC-014": one_role,
    "CF-SEC-003": everything,
    "CF-SEC-004": every_secret,
    "CF-SEC-005": whole_services,
    "CF-SEC-006": any_role,
    "CF-SEC-010": ways_up,
    "CF-SEC-017": every_key,
    "CF-SEC-027": all_data,
    "CF-SEC-028": exposes,
    "CF-SEC-029": blinds,
}
