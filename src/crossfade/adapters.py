"""The adapters by name: every list of balancers and runtimes that a user meets is read from here.

An adapter is called with the directory it may use and the fence it has to ask: `(Path, Fence)`. Names are told from
their code, so that reading a file or printing help imports none of it.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from crossfade.core.errors import WrongInputError

BALANCERS: Mapping[str, str] = {
    "envoy": "crossfade.platforms.local.balancers.envoy:EnvoyBalancer",
    "haproxy": "crossfade.platforms.local.balancers.haproxy:HaproxyBalancer",
    "nginx": "crossfade.platforms.local.balancers.nginx:NginxBalancer",
}
RUNTIMES: Mapping[str, str] = {
    "process": "crossfade.platforms.local.runtimes.processes.runtime:ProcessRuntime",
    "docker": "crossfade.platforms.local.runtimes.docker.runtime:DockerRuntime",
}
DEFAULT_BALANCER = "envoy"
# What services call the runtimes of AWS, by `cloud.compute.kind`. Its hosts run those of a machine.
ON_AWS: Mapping[str, str] = {"fargate": "ecs", "autoscaling": "autoscaling"}
# Where releases go that is not this machine: an async context of a `RemoteEnvironment`, given the app, the environment,
# its region, and who is told of events.
PLATFORMS: Mapping[str, str] = {
    "aws": "crossfade.platforms.aws.environment:environment",
}


def adapter(table: Mapping[str, str], name: str) -> Any:
    """What is behind a name of `BALANCERS`, `RUNTIMES` or `PLATFORMS`; KeyError for a name that is in none."""
    module, _, class_name = table[name].partition(":")
    return getattr(import_module(module), class_name)


def require_known(table: Mapping[str, str], name: str, where: str, way_out: str) -> str:
    """The name itself. WrongInputError when the table lacks it: `where` it was found, and the word probably meant."""
    if name not in table:
        close = get_close_matches(name.lower(), table, n=1)
        meant = f"; did you mean {close[0]}?" if close else ""
        raise WrongInputError(f'{where}: found "{name}"{meant}; allowed: one of {", ".join(table)}', way_out)
    return name
