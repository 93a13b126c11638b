"""What a deploy needs of the file, as plain JSON: the command line hands it on without knowing more of it."""

from pathlib import Path
from typing import Any

from crossfade.core.errors import WrongInputError
from crossfade.core.wire import encode
from crossfade.file.load import load
from crossfade.file.problem import nearest
from crossfade.file.settle import settle


def deployable(
    path: Path, *, called: str, environment: str | None = None, service: str | None = None, strategy: str | None = None
) -> dict[str, Any]:
    """`{"environment", "platform", "balancer", "services": [...]}`: services encoded, in the order they are deployed.

    `balancer` is None where the file leaves it to the machine. All services, or the one that is named; `strategy` is
    taken instead of the file's, `called` is the file's name in messages. Raises WrongInputError for a file that is
    wrong, and for an environment or a service that it has not.
    """
    app = load(path, environment, called=called)
    if service is not None and service not in app.services:
        meant = nearest(service, list(app.services))
        hint = f"did you mean {meant}? " if meant else ""
        raise WrongInputError(f"{called} has no service {service}", f"{hint}it has {', '.join(app.services)}")
    names = [service] if service else list(app.deploy_order)
    if strategy:
        overrides = {"services": {name: {"deploy": {"strategy": strategy}} for name in names}}
        app = load(path, environment, overrides, called=called)
    services = {one.name: one for one in settle(app, path.parent.resolve())}
    return {
        "environment": app.environment,
        "platform": app.platform,
        "balancer": app.balancer if "balancer" in app.model_fields_set else None,
        "services": [encode(services[name]) for name in names],
    }
