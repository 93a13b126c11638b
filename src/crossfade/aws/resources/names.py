"""What things are called: on AWS and in Terraform."""

from crossfade.file.model import App


def prefix(app: App) -> str:
    """What every name on AWS begins with."""
    return f"{app.name}-{app.environment}"


def identifier(name: str) -> str:
    """A name of the file as Terraform takes it: no hyphens."""
    return name.replace("-", "_")
