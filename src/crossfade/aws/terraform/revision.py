"""The revision of a release: build specifications, and for hosts CodeDeploy's appspec with its hooks.

https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
"""

import shlex
from importlib.resources import files as package
from importlib.resources.abc import Traversable

from crossfade.aws.environment import whole
from crossfade.aws.resources.hosts import process_ports
from crossfade.aws.resources.names import prefix
from crossfade.aws.terraform.parts.monitoring import metrics_namespace
from crossfade.core.service import KEEPING
from crossfade.file.cloud.delivery import Pipeline
from crossfade.file.model import App, Service

FOLDER = "deploy"  # in infrastructure/
# Packages of Amazon Linux for what a command begins with.
_PACKAGES = {"node": "nodejs20", "npm": "nodejs20", "python": "python3.11", "java": "java-21-amazon-corretto-headless"}


def by_codedeploy(app: App) -> bool:
    return app.cloud.pipeline is not None and app.cloud.pipeline.on_aws == "codedeploy"


def new_fleet(app: App) -> bool:
    """True when CodeDeploy itself puts a whole new fleet beside the old one and moves the traffic."""
    pipeline = app.cloud.pipeline
    alone = pipeline is not None and by_codedeploy(app) and pipeline.strategy == "codedeploy-only"
    return alone and any(service.deploy.strategy in KEEPING for service in app.services.values())


def revision(app: App) -> dict[str, str]:
    """Text by path below `infrastructure/`; nothing without a pipeline on AWS."""
    pipeline = app.cloud.pipeline
    if pipeline is None or not pipeline.on_aws:
        return {}
    if not by_codedeploy(app):
        specs = [
            "buildspec.yml",
            "buildspec-release.yml",
            "release.py",
            *(["buildspec-site.yml"] if app.cloud.site else []),
        ]
        return {f"{FOLDER}/{name}": _ours().joinpath(name).read_text() for name in specs}
    service = next(iter(app.services.values()))  # hosts run one
    hooks = {f"{FOLDER}/hooks/{hook.name}": hook.read_text() for hook in _ours().joinpath("hooks").iterdir()}
    own = f"{FOLDER}/{app.environment}"
    return {
        f"{own}/appspec.yml": _appspec(app, pipeline),
        f"{own}/settings.sh": _settings(app, service, pipeline),
    } | dict(sorted(hooks.items()))


def carried(app: App) -> dict[str, str]:
    """What goes with a source, texts by their paths in it: the appspec at the top, and the scripts that it names."""
    own = f"{FOLDER}/{app.environment}/appspec.yml"
    return {"appspec.yml" if path == own else f"infrastructure/{path}": text for path, text in revision(app).items()}


def _ours() -> Traversable:
    return package("crossfade.aws.terraform").joinpath("deploy")


def _appspec(app: App, pipeline: Pipeline) -> str:
    limits = pipeline.lifecycle
    hooks = (
        ("ApplicationStop", "stop", limits.application_stop, ""),
        ("BeforeInstall", "prepare", limits.before_install, "      runas: root\n"),
        ("AfterInstall", "build", limits.after_install, ""),
        ("ApplicationStart", "start", limits.application_start, ""),
        ("ValidateService", "validate", limits.validate_service, ""),
    )
    head = _ours().joinpath("appspec.yml").read_text()
    texts = [
        f"  {event}:\n    - location: infrastructure/{FOLDER}/hooks/{script}.sh\n      timeout: {whole(limit)}\n{more}"
        for event, script, limit, more in hooks
    ]
    return head.replace("@ENVIRONMENT@", app.environment).replace("@FOLDER@", _home(app)) + "".join(texts)


def _settings(app: App, service: Service, pipeline: Pipeline) -> str:
    """What hooks have to know. Read by a shell, so every value is quoted."""
    words = (service.command or "").split()
    checks = pipeline.checks
    values = {
        "NAME": prefix(app),
        "ENVIRONMENT": app.environment,
        "FOLDER": _home(app),
        "PORTS": " ".join(map(str, process_ports(app, service))),
        "PACKAGES": _PACKAGES.get(words[0], "") if words else "",
        "BUILD": service.build or "",
        "HEALTH": service.health.path,
        "TRIES": str(checks.tries),
        "EVERY": f"{checks.every:g}",
        "THEN": checks.then or "",
        "NAMESPACE": checks.namespace or metrics_namespace(app),
        "KEEP": str(service.deploy.retain),
    }
    head = f"# What the hooks have to know of {prefix(app)}.\n"
    return head + "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())


def _home(app: App) -> str:
    """Where releases are on a host."""
    return f"/opt/{app.name}"
