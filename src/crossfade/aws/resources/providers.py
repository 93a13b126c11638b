"""The providers of a plan's resources."""

from crossfade.aws.resources.resource import Resource

AWS = "aws"
# AWS's second provider, with every type of Cloud Control's under other names and attributes.
CLOUD_CONTROL = "awscc"
# Providers whose resources are in Terraform's state, or on the machine that runs it, and nowhere else.
NOWHERE = frozenset(
    [
        "random",
        "null",
        "local",
        "tls",
        "time",
        "archive",
        "template",
        "terraform",
        "external",
        "http",
        "cloudinit",
        "assert",
    ]
)


def provider(resource: Resource) -> str:
    return resource.type.partition("_")[0]
