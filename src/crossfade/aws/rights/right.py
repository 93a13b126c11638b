"""One right, as IAM has it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crossfade.aws.places import APP, ENVIRONMENT
from crossfade.aws.resources.names import places
from crossfade.file.model import App

EVERYTHING = ("*",)


@dataclass(frozen=True, slots=True)
class Right:
    """`actions` on `resources`: ARNs with `${partition}` and `${account}` where those belong, or EVERYTHING.

    `name` is the statement's. EVERYTHING is for what takes no names; `when` narrows a right by conditions.
    """

    name: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = EVERYTHING
    when: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def statement(self) -> dict[str, Any]:
        said: dict[str, Any] = {"Sid": self.name, "Effect": "Allow", "Action": sorted(self.actions)}
        said["Resource"] = list(self.resources)
        return said | ({"Condition": {test: dict(of) for test, of in self.when.items()}} if self.when else {})


def arn(app: App, service: str, resource: str) -> str:
    """The name of something in the environment's region: a `service` such as ecs, and cluster/shop-prod."""
    return f"arn:${{partition}}:{service}:{app.cloud.region}:${{account}}:{resource}"


def everywhere(service: str, resource: str, *, account: str = "${account}") -> str:
    """Of something that is in no region: a role, a distribution; a bucket is in no account either."""
    return f"arn:${{partition}}:{service}::{account}:{resource}"


def ours(app: App) -> dict[str, dict[str, str]]:
    """Only what has the environment's tags, where AWS gives the names."""
    tags = places(app).tags()
    return {"StringEquals": {f"aws:ResourceTag/{key}": tags[key] for key in (APP, ENVIRONMENT)}}
