"""What of a plan strangers may use: roles they may take on, and resources whose own policies let anybody in."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from crossfade.aws.audit.finding import Mark
from crossfade.aws.audit.on_plan.access.shared import given_to_everybody, open_collections
from crossfade.aws.audit.on_plan.access.statements import Statement, listed, statements
from crossfade.aws.audit.on_plan.switch import is_on
from crossfade.aws.audit.on_plan.texts import containers, pods
from crossfade.aws.audit.ports import is_everybody
from crossfade.aws.resources.inventory import Inventory, blocks, first
from crossfade.aws.resources.resource import Resource

# Where a resource keeps the policy of its own, which says who may use it.
OWN = ("policy", "policy_document", "access_policy", "access_policies", "resource_policy", "content")
# Policies that say what somebody may do; those of buckets, which have a rule of their own; those of doors through which
# one's own network goes; and those of what is there for everybody.
_NOT_OWN = re.compile(
    r"aws_(?:iam_|ssoadmin_|organizations_policy|iot_policy|s3_bucket|s3_object|vpc_endpoint|vpclattice_auth_policy"
    r"|api_gateway_rest_api|ecrpublic_|ssm_document|opensearchserverless_|verifiedpermissions_|appautoscaling_)"
)
# Domains inside of a VPC are reached by who is in there.
_DOMAINS = frozenset({"aws_elasticsearch_domain", "aws_opensearch_domain"})
# Capabilities that are as good as the host itself: https://man7.org/linux/man-pages/man7/capabilities.7.html
_ALL_RIGHTS = frozenset({"ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "DAC_READ_SEARCH", "BPF"})
# Directories in which the host's own keys, programs, or the socket of its Docker are.
_HOSTS_OWN = frozenset({"/", "/etc", "/root", "/run", "/var/run", "/var/lib/docker", "/var/lib/kubelet"})
_POINT = "aws_s3_access_point"
_OIDC = ":oidc-provider/"
# Issuers of one organisation, workspace, cluster or pool alone: whoever has a token of theirs is no stranger.
_OF_ONE = re.compile(
    r"oidc\.eks\.[\w-]+\.amazonaws\.com/id/|oidc\.circleci\.com/org/|api\.bitbucket\.org/2\.0/workspaces/"
    r"|cognito-idp\.[\w-]+\.amazonaws\.com/|token\.actions\.githubusercontent\.com/[\w-]|oidc\.vercel\.com/[\w-]"
    r"|(?:sts\.windows\.net|login\.microsoftonline\.com)/[0-9a-f-]{36}|[\w-]+\.(?:okta|oktapreview)\.com"
    r"|[\w.-]+\.auth0\.com|[\w-]+\.app\.spacelift\.io|container\.googleapis\.com/v1/projects/"
)
# Providers that IAM knows by itself, and what tells whose application a token is for.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
_KNOWN: Mapping[str, tuple[str, ...]] = {
    "cognito-identity.amazonaws.com": ("aud", "sub"),
    "accounts.google.com": ("aud", "oaud", "sub"),
    "www.amazon.com": ("app_id", "user_id"),
    "graph.facebook.com": ("app_id", "id"),
}
# Shared issuers that tell whose job asks by more than `sub`: repository and the like are keys since January 2026. Of an
# owner IAM has no key: who tests it lets that owner in or nobody, but no stranger.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
_TELLING: Mapping[str, tuple[str, ...]] = {
    "token.actions.githubusercontent.com": (
        *("sub", "repository", "repository_id", "repository_owner", "repository_owner_id"),
        *("job_workflow_ref", "actor", "actor_id", "enterprise_id"),
    ),
}


def anybody_takes_on(inventory: Inventory) -> Iterator[Mark]:
    for role in inventory.of("aws_iam_role"):
        for one in statements(inventory, role, "assume_role_policy"):
            if one.anybody:
                yield Mark(role.address, "any AWS account may take it on")
            if ("Service", "*") in one.principals:
                yield Mark(role.address, "any service of AWS may take it on")
            for provider in _strangers(one):
                limits = " or ".join(f"`{key}`" for key in _KNOWN.get(provider, ("sub",)))
                yield Mark(
                    role.address, f"anybody with an account at {provider} may take it on: nothing limits {limits}"
                )


def _strangers(one: Statement) -> Iterator[str]:
    """OpenID Connect providers whose every user is let in: the issuer is shared, only `sub` tells whose job asks."""
    for kind, who in one.principals:
        provider = who if who in _KNOWN else who.partition(_OIDC)[2]
        if kind != "Federated" or not provider or _OF_ONE.match(provider):
            continue
        limits = {f"{provider}:{key}".lower() for key in {**_KNOWN, **_TELLING}.get(provider, ("sub",))}
        subjects = [values for key, values in one.conditions if key in limits]
        if not any(values and all(map(_names_somebody, values)) for values in subjects):
            yield provider


def _names_somebody(subject: str) -> bool:
    """False for `*`, `repo:*`, `repo:*/shop` and `repo:acme*`, as whoever likes takes a name that begins so."""
    # The owner of repo:acme/shop:ref:..., of acme/shop; and a number is all that there is.
    owner = re.split("[/:]", subject)[1] if ":" in subject else subject.partition("/")[0]
    return bool(owner) and "*" not in owner and "?" not in owner


def anybody_uses(inventory: Inventory) -> Iterator[Mark]:
    for resource in inventory.all:
        if _NOT_OWN.match(resource.type) or _is_inside(inventory, resource):
            continue
        for key in OWN:
            if key in resource.values or key in resource.refers:
                yield from _open_to_all(inventory, resource, key)
    yield from given_to_everybody(inventory)


def _is_inside(inventory: Inventory, resource: Resource) -> bool:
    """Domains in a network of one's own; and access points, which let no stranger in unless they are told to."""
    domains = (resource, *inventory.referred(resource, "domain_name", *_DOMAINS))
    if any(one.type in _DOMAINS and blocks(one.values, "vpc_options") for one in domains):
        return True
    points = (resource, *inventory.referred(resource, "access_point_arn", _POINT))
    blocked = (
        first(one.values, "public_access_block_configuration", "restrict_public_buckets")
        for one in points
        if one.type == _POINT
    )
    return any(each is not False for each in blocked)


def _open_to_all(inventory: Inventory, resource: Resource, key: str) -> Iterator[Mark]:
    for one in statements(inventory, resource, key):
        if one.anybody:
            yield Mark(resource.address, f"allows {', '.join(one.actions) or 'all but some actions'} to everybody")


def public_doors(inventory: Inventory) -> Iterator[Mark]:
    """Entrances of their own, which no load balancer and no security group stands before."""
    for url in inventory.of("aws_lambda_function_url"):
        if url.values.get("authorization_type") == "NONE":
            yield Mark(url.address, "authorization_type is NONE: its URL runs the function for everybody")
    for cluster in inventory.of("aws_eks_cluster"):
        plane = blocks(cluster.values, "vpc_config")
        if plane and plane[0].get("endpoint_public_access", True) is not False:
            networks = plane[0].get("public_access_cidrs") or ("0.0.0.0/0",)
            if open_to := next(filter(is_everybody, networks), ""):
                yield Mark(cluster.address, f"its control plane is open to {open_to}")
    for stream in inventory.of("aws_msk_cluster"):
        kind = first(stream.values, "broker_node_group_info", "connectivity_info", "public_access", "type")
        if kind == "SERVICE_PROVIDED_EIPS":
            yield Mark(stream.address, "its brokers have public addresses")
    yield from open_collections(inventory)
    yield from _of_everybody(inventory)


def _of_everybody(inventory: Inventory) -> Iterator[Mark]:
    """With addresses that have no network of one's own before them."""
    for api in inventory.of("aws_appsync_graphql_api"):
        if api.values.get("authentication_type") == "API_KEY":
            yield Mark(
                api.address, "authentication_type is API_KEY: whoever has the key that every client carries asks it"
            )
    for domain in inventory.of(*sorted(_DOMAINS)):
        if not blocks(domain.values, "vpc_options"):
            yield Mark(domain.address, "it is in no VPC: its address is on the internet")


def too_close_to_the_host(inventory: Inventory) -> Iterator[Mark]:
    for task in inventory.of("aws_ecs_task_definition", "aws_batch_job_definition"):
        for container in containers(task):
            name = container.get("name", "")
            if is_on(container.get("privileged")):
                yield Mark(task.address, f"container {name} is privileged")
            for right in sorted(_ALL_RIGHTS.intersection(_added(container))):
                yield Mark(task.address, f"container {name} has the capability {right}")
        yield from _pods(task)
        if task.values.get("pid_mode") == "host":
            yield Mark(task.address, "pid_mode is host: it sees and signals every process there")
        volumes = [volume.get("host_path") for volume in blocks(task.values, "volume")]
        volumes += [_source(volume) for container in containers(task) for volume in listed(container.get("volumes"))]
        for path in map(str, filter(None, volumes)):
            if _is_the_host(path):
                yield Mark(task.address, f"mounts {path} of its host")


def _is_the_host(path: str) -> bool:
    return (path.rstrip("/") or "/") in _HOSTS_OWN or path.rstrip("/").endswith(("docker.sock", "containerd.sock"))


def _pods(job: Resource) -> Iterator[Mark]:
    for pod in pods(job):
        for container in (*blocks(pod, "containers"), *blocks(pod, "init_containers")):
            if is_on(first(container, "security_context", "privileged")):
                yield Mark(job.address, f"container {container.get('name') or ''} is privileged")
        for volume in blocks(pod, "volumes"):
            if _is_the_host(path := str(first(volume, "host_path", "path") or "")):
                yield Mark(job.address, f"mounts {path} of its host")


def _added(container: Mapping[str, Any]) -> list[str]:
    linux = container.get("linuxParameters")
    rights = linux.get("capabilities") if isinstance(linux, Mapping) else None
    return [str(right) for right in listed(rights.get("add"))] if isinstance(rights, Mapping) else []


def _source(volume: Any) -> Any:
    """Of a job of Batch."""
    host = volume.get("host") if isinstance(volume, dict) else None
    return host.get("sourcePath") if isinstance(host, dict) else None


def _public_acl(resource: Resource) -> Iterator[str]:
    acl = str(resource.values.get("acl") or "")
    if acl.startswith("public-") or acl == "authenticated-read":
        yield f"its ACL is {acl}"
    granted = [*blocks(resource.values, "grant")]
    for policy in blocks(resource.values, "access_control_policy"):
        granted += blocks(policy, "grant")
    for grant in granted:
        uri = str(grant.get("uri") or first(grant, "grantee", "uri") or "")
        if uri.endswith(("/AllUsers", "/AuthenticatedUsers")):
            yield f"its ACL grants {grant.get('permission') or ', '.join(grant.get('permissions') or ())} to everybody"


def public_buckets(inventory: Inventory) -> Iterator[Mark]:
    """As far as no block of public access, the bucket's own or the account's, takes the effect away."""
    for resource in inventory.of("aws_s3_bucket", "aws_s3_bucket_acl", "aws_s3_object"):
        if not _closed(inventory, resource, "ignore_public_acls"):
            for what in _public_acl(resource):
                yield Mark(resource.address, what)
    for resource in inventory.of("aws_s3_bucket", "aws_s3_bucket_policy"):
        for one in statements(inventory, resource):
            if one.anybody and not _closed(inventory, resource, "restrict_public_buckets"):
                yield Mark(resource.address, f"allows {', '.join(one.actions)} to everybody")


def _closed(inventory: Inventory, resource: Resource, key: str) -> bool:
    if any(is_on(one.values.get(key)) for one in inventory.of("aws_s3_account_public_access_block")):
        return True
    buckets = {resource.address, *resource.refers.get("bucket", ())}
    name = resource.values.get("bucket")
    for block in inventory.of("aws_s3_bucket_public_access_block"):
        same = name is not None and block.values.get("bucket") == name
        if is_on(block.values.get(key)) and (same or buckets & set(block.refers.get("bucket", ()))):
            return True
    return False


CHECKS = {
    "CF-SEC-008": anybody_takes_on,
    "CF-SEC-009": anybody_uses,
    "CF-SEC-013": too_close_to_the_host,
    "CF-NET-009": public_doors,
    "CF-DAT-015": public_buckets,
}
