"""The plan of a pipeline, whoever runs it: settled once from the file."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from crossfade import __version__
from crossfade.aws.resources.hosts import by_revision, in_containers, on_hosts, stay
from crossfade.aws.terraform.revision import by_codedeploy, new_fleet
from crossfade.core.errors import WrongInputError
from crossfade.file.cloud.delivery import Pipeline
from crossfade.file.model import App

TYPED = "rollback"  # what is typed to confirm one
DOCUMENTS = ("**.md", "docs/**")  # these alone change nothing
_BRANCH = re.compile(r"[\w][\w./-]*")
_IMAGE = re.compile(r"[a-z0-9][\w./-]*")  # without a tag: what the pipeline builds


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """An environment that jobs deploy to. `after` is one that the same branch is deployed to first.

    `codedeploy` is CodeDeploy's application where it does all by itself, else nothing. With `switch` its new fleet
    waits for a person before it gets the traffic.
    """

    environment: str
    branch: str
    region: str
    approve: bool
    after: str
    codedeploy: str = ""
    switch: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A database or a cache that tests find on this machine's loopback, and what tells them so."""

    name: str
    image: str
    port: int
    environment: tuple[tuple[str, str], ...]
    ready: str
    variable: tuple[str, str]


_DATABASES = {
    "mysql": Beside(
        name="mysql",
        image="mysql:8.4",
        port=3306,
        environment=(("MYSQL_DATABASE", "test"), ("MYSQL_ROOT_PASSWORD", "test")),
        ready="mysqladmin ping --silent -h 127.0.0.1 -ptest",
        variable=("DATABASE_URL", "mysql://root:test@{host}:3306/test"),
    ),
    "mariadb": Beside(
        name="mariadb",
        image="mariadb:11.4",
        port=3306,
        environment=(("MARIADB_DATABASE", "test"), ("MARIADB_ROOT_PASSWORD", "test")),
        ready="mariadb-admin ping --silent -h 127.0.0.1 -ptest",
        variable=("DATABASE_URL", "mysql://root:test@{host}:3306/test"),
    ),
    "postgres": Beside(
        name="postgres",
        image="postgres:17",
        port=5432,
        environment=(("POSTGRES_DB", "test"), ("POSTGRES_PASSWORD", "test")),
        ready="pg_isready -U postgres",
        variable=("DATABASE_URL", "postgresql://postgres:test@{host}:5432/test"),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelinePlan:
    """`images` are built once by the pipeline, as (service, image); `releases` False: AWS's own pipeline deploys.

    `build` is the command of a source that CodeDeploy brings, `strategy` by whom it reaches what is not production;
    empty where CodeDeploy has no part in it.
    """

    app: str
    test: str
    setup: tuple[tuple[str, str], ...]
    beside: tuple[Beside, ...]
    images: tuple[tuple[str, str], ...]
    targets: tuple[Destination, ...]
    releases: bool
    build: str = ""
    strategy: str = ""

    @property
    def revisions(self) -> tuple[Destination, ...]:
        """Where CodeDeploy brings a revision."""
        return tuple(target for target in self.targets if target.codedeploy)

    @property
    def branches(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(target.branch for target in self.targets))

    @property
    def install(self) -> str:
        return f"'crossfade[aws]=={__version__}'"


def plan(apps: Sequence[App], by: str) -> PipelinePlan:
    """Of the environments whose pipeline is run by `by`, dev before production.

    WrongInputError for a branch that cannot stand in a condition.
    """
    known = [(app, app.cloud.pipeline) for app in apps if app.cloud.pipeline and by in app.cloud.pipeline.by]
    known.sort(key=lambda pair: (pair[0].production, pair[1].approve))
    targets: list[Destination] = []
    for app, pipeline in known:
        if not _BRANCH.fullmatch(pipeline.branch):
            raise WrongInputError(f"branch {pipeline.branch!r} of {app.environment} cannot be written", "rename it")
        before = [target.environment for target in targets if target.branch == pipeline.branch]
        targets.append(
            Destination(
                environment=app.environment,
                branch=pipeline.branch,
                region=app.cloud.region,
                approve=pipeline.approve or app.production,
                after=before[-1] if before else "",
                codedeploy=f"{app.name}-{app.environment}" if by_codedeploy(app) and not by_revision(app) else "",
                switch=pipeline.approve and new_fleet(app),
            )
        )
    first, pipeline = known[0]
    return PipelinePlan(
        app=first.name,
        test=pipeline.test or "",
        setup=tuple((name, version) for name, version in pipeline.setup if version),
        beside=tuple(_beside(first)) if pipeline.test else (),
        images=tuple(_images(first)),
        targets=tuple(targets),
        releases=not any(one.on_aws == "codepipeline" for _, one in known),
        build=next((one.build for one in first.services.values() if one.build), "") or "",
        strategy=pipeline.strategy if pipeline.on_aws == "codedeploy" else "",
    )


def missing(apps: Sequence[App], by: str) -> list[str]:
    """What jobs cannot do before something else is there: no role to take on, hosts that a deploy does not reach."""
    unreached = [
        f"{app.environment}: {why} yet, and its job says so"
        for app in apps
        if (pipeline := _by(app, by)) and not pipeline.on_aws and (why := _unreached(app))
    ]
    return unreached + [
        f"{app.environment}: no role is made for its jobs; `deployer: {{{by}: {pipeline.repository}}}` makes one"
        for app in apps
        if (pipeline := _by(app, by)) and not (app.cloud.deployer and getattr(app.cloud.deployer, by))
    ]


def _unreached(app: App) -> str:
    """What `crossfade deploy` cannot do on hosts of an Auto Scaling group; empty where it can all that is asked for."""
    if not on_hosts(app) or stay(app):
        return ""
    if all(in_containers(app, service) for service in app.services.values()):
        return ""
    return "`crossfade deploy` does not reach processes on hosts of an Auto Scaling group"


def _by(app: App, by: str) -> Pipeline | None:
    return app.cloud.pipeline if app.cloud.pipeline and by in app.cloud.pipeline.by else None


def _images(app: App) -> list[tuple[str, str]]:
    named = [
        (name, str(service.image.name))
        for name, service in app.services.items()
        if service.image and service.image.name
    ]
    return [(name, image) for name, image in named if _IMAGE.fullmatch(image)]


def _beside(app: App) -> list[Beside]:
    found = []
    database, cache = app.cloud.database, app.cloud.cache
    if database:
        usual = _DATABASES[database.engine]
        found.append(replace(usual, image=f"{usual.name}:{database.version}") if database.version else usual)
    if cache:
        found.append(
            Beside(
                name="redis",
                image="redis:7" if cache.engine == "redis" else "valkey/valkey:8",
                port=6379,
                environment=(),
                ready="redis-cli ping" if cache.engine == "redis" else "valkey-cli ping",
                variable=("REDIS_URL", "redis://{host}:6379/0"),
            )
        )
    return found
