"""Names of an environment on AWS: the prefix that all begin with, and how Terraform takes one."""

from crossfade.aws.places import Places
from crossfade.file.model import App


def places(app: App) -> Places:
    return Places(app.name, app.environment)


def prefix(app: App) -> str:
    """What every name on AWS begins with."""
    return places(app).prefix


def identifier(name: str) -> str:
    """A name of the file as Terraform takes it: no hyphens."""
    return name.replace("-", "_")
