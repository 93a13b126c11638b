"""An order: who wants something, and how."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What every order to a service carries; deploy and rollback read all of it."""

    by: str
    path: str = ""  # PATH of the shell that asked
    version: str = ""  # the label for a new release
    force: bool = False
    supersede: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """What the shell that deploys brings along for builds and instances. No record holds any of it."""

    environment: Mapping[str, str] = field(default_factory=dict)  # for builds
    secrets: Mapping[str, str] = field(default_factory=dict)  # for every service that names them
    secrets_of: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by service, before those for all
    # By service and secret: the variables that it is made of and lacks.
    lacking: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
