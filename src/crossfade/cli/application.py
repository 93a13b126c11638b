"""The file as the services it describes, and what can be said against deploying them before anything is touched."""

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from crossfade.balancers.sockets import require_free
from crossfade.cli.call import Call
from crossfade.cli.client import NotRunningError
from crossfade.core.errors import RefusedError, WrongInputError
from crossfade.core.service import Service
from crossfade.spec.load import load
from crossfade.spec.model import App
from crossfade.spec.problem import nearest
from crossfade.spec.settle import settle

# A command that begins with anything but a plain word (an assignment, a quote, a subshell) is left to the shell.
_PLAIN = re.compile(r"[\w./+-]+")
_BUILTINS = frozenset(
    {".", ":", "[", "cd", "command", "eval", "exec", "export", "if", "set", "test", "trap", "ulimit", "while"}
)


def read(call: Call, service: str | None = None, strategy: str | None = None) -> tuple[App, tuple[Service, ...]]:
    """The application, and its services in the order they are deployed: all of them, or the one that is named."""
    path = call.required()
    app = load(path, call.environment)
    if service is not None and service not in app.services:
        meant = nearest(service, list(app.services))
        hint = f"did you mean {meant}? " if meant else ""
        raise WrongInputError(f"{path} has no service {service}", f"{hint}it has {', '.join(app.services)}")
    names = [service] if service else list(app.deploy_order)
    if strategy:
        overrides: dict[str, Any] = {"services": {name: {"deploy": {"strategy": strategy}} for name in names}}
        app = load(path, call.environment, overrides)
    services = {s.name: s for s in settle(app, path.parent.resolve())}
    return app, tuple(services[name] for name in names)


def preflight(call: Call, app: App, services: Iterable[Service]) -> None:
    """Refuse what cannot become a release, while nothing has been touched yet.

    Raises RefusedError for a platform that is not there, WrongInputError for a command that is not, PlatformError for
    a port that somebody else holds.
    """
    if app.platform != "local":
        raise RefusedError(
            f"platform {app.platform} of environment {app.environment} cannot be deployed to yet: only local can",
            "choose an environment with `platform: local` with --environment",
        )
    ours = _our_ports(call)
    for service in services:
        _require_command(service)
        listener = service.listener
        for port, host in ((listener.http, listener.host), (listener.https, listener.host), (service.preview.port, "")):
            if port is not None and port not in ours:
                require_free(host or listener.host, port)


def secrets_of(services: Iterable[Service]) -> dict[str, str]:
    """The values of the secrets that services name, from this shell's environment, as far as it has them."""
    return {name: os.environ[name] for service in services for name in service.secrets if name in os.environ}


def _our_ports(call: Call) -> frozenset[int]:
    """The ports our own balancer has open. When services were left without a controller, it must come back to tell."""
    from crossfade.cli.controller import ensure

    try:
        return frozenset(call.client().get("/v1/controller")["ports"])
    except NotRunningError:
        if not call.state.journal.exists():
            return frozenset()
        return frozenset(ensure(call.state).get("/v1/controller")["ports"])


def _require_command(service: Service) -> None:
    """Find the first word of the command as the shell will, unless the build may yet bring it."""
    word = service.command.split(maxsplit=1)[0] if service.command.split() else ""
    if service.runtime != "process" or not _PLAIN.fullmatch(word) or word in _BUILTINS:
        return
    own = dict(service.env).get("PATH")
    if "/" in word:
        there = (Path(service.source) / word).exists() or bool(service.build)
    else:
        there = shutil.which(word, path=own) is not None or (own is not None and bool(service.build))
    if not there:
        raise WrongInputError(
            f"the command of {service.key} is not there: {word}",
            f"install it, correct `command` ({service.command}), or deploy from the shell whose PATH has it",
        )
