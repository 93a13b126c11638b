"""One service: what runs, how much of it, and which requests it gets."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from crossfade.core.service import IDLE_TIMEOUT, Kind, Volume
from crossfade.file.cloud.compute import Scale
from crossfade.file.command import Command, CommandLine
from crossfade.file.part import Clash, Part
from crossfade.file.parts.container import Contained, written_for_containers
from crossfade.file.parts.deploy import WEEK, Deploy
from crossfade.file.parts.health import Health
from crossfade.file.parts.hooks import Hooks
from crossfade.file.parts.image import Image
from crossfade.file.parts.kind import WORKER_GRACE, wrong_for_its_kind
from crossfade.file.parts.making import CACHED, ELSEWHERE, INSIDE, wrong_making
from crossfade.file.parts.variables.origin import Variable
from crossfade.file.parts.variables.secrets import OF_CONTAINERS, VARIABLE, EnvFile, EnvFiles, SecretList, SecretNames
from crossfade.file.parts.volumes import VolumeText, wrong_volumes
from crossfade.file.parts.web.headers import HEADER, HeaderValue, wrong_headers
from crossfade.file.parts.web.place import wrong_place
from crossfade.file.parts.web.route import PORT, Preview, Route
from crossfade.file.parts.web.static import Static, wrong_static
from crossfade.file.parts.web.sticky import Sticky
from crossfade.file.units import Duration, Number, Size, Text, Whole

NAME = Text(
    r"[a-z][a-z0-9-]{0,30}", "a name of 1 to 31 lower-case letters, digits and hyphens that begins with a letter"
)
FILLED = Text(r"[\s\S]*\S[\s\S]*", "text that is not empty")

# An instance learns these from us; a value in the file would contradict where traffic goes.
GIVEN = frozenset({"PORT", "CROSSFADE_SOCKET", "CROSSFADE_RELEASE", "CROSSFADE_INSTANCE"})


class Resources(Part):
    """The most an instance may use. Of processes memory is a limit of each, and cpu one of all that an instance starts:
    as root, or where systemd delegates a cgroup. Where neither is, a deploy says so.
    """

    cpu: Annotated[float, Number(above=0, most=1024)] | None = Field(
        default=None, description="Cores. Default: no limit.", examples=[0.5]
    )
    memory: Annotated[int, Size(least=6 << 20)] | None = Field(
        default=None, description="Memory; Docker needs at least 6M. Default: no limit.", examples=["512M"]
    )


class Service(Contained):
    """What runs: `source` (processes) or `image` (containers), and everything about it."""

    source: Annotated[str, FILLED] | None = Field(
        default=None,
        description="Folder with the source; each release is a copy of it and runs as processes. In a git work tree "
        "the copy has what git tracks or does not ignore, elsewhere all but `.git`, `.venv`, `node_modules` and "
        "`__pycache__`; somebody's credentials (`id_rsa`, `.aws/credentials`) never. `check` and `deploy` say what is "
        "missing.",
        examples=["."],
    )
    image: Image | None = Field(
        default=None,
        description="Container image: a name, or `{build: .}`. Each release is one digest of it and runs in Docker. "
        "Each deploy asks its registry, with the login that `docker login` left, what the tag is now.",
        examples=["ghcr.io/acme/feedback:1.4"],
    )
    build: Annotated[str, Command()] | None = Field(
        default=None,
        description="Runs once per release in the copy of `source`.",
        examples=["python -m pip install -r requirements.txt -t vendor"],
    )
    also: tuple[Annotated[str, ELSEWHERE], ...] = Field(
        default=(),
        description="What else of a repository it is made of beside `source`: folders and files, from where this file "
        "stands. In a release they lie where they lie here, so that `../shared` is found; a change there is a release, "
        "and none elsewhere.",
        examples=[["packages/shared", "package-lock.json"]],
    )
    cache: tuple[Annotated[str, CACHED], ...] = Field(
        default=(),
        description="Folders that a build leaves for the next one: in the source, or below one's home with `~/`. Each "
        "build has a copy of its own; one that fails with it is tried once more without.",
        examples=[["node_modules", ".venv", "~/.cache/pip"]],
    )
    built_from: tuple[Annotated[str, INSIDE], ...] = Field(
        default=(),
        description="All that `build` depends on, from `source`, where it leaves nothing but `cache`: while none of it "
        "changes, nor the build, a release is given what the last build left, and none is run. Default: everything.",
        examples=[["requirements.txt"]],
    )
    command: Annotated[CommandLine, Command()] | None = Field(
        default=None,
        description="Starts one instance. It must listen on `$PORT`, or as `listen_on` says. With `image` it takes the "
        "place of the CMD and goes to the ENTRYPOINT: a text by way of a shell, a list as it is. Default there: the "
        "image's own.",
        examples=["python -m app --port $PORT"],
    )
    static: Static | None = Field(
        default=None,
        description="A folder that is served as it is, in place of a `command`: it ships in releases like all else.",
        examples=["dist", {"folder": "dist", "fallback": "index.html"}],
    )
    kind: Kind = Field(
        default="web",
        description=(
            "`web` gets requests. `worker` takes its work itself, from a queue or by a clock: no port, no route, and "
            "SIGTERM with its whole `grace` when it is to go."
        ),
        examples=["worker"],
    )
    port: Annotated[int, PORT] = Field(
        default=8080,
        description="Where a container listens. A process is given a free port in `$PORT` instead.",
        examples=[8080],
    )
    listen_on: Literal["port", "socket"] = Field(
        default="port",
        description="`socket` instead of `$PORT`: the process listens on the Unix socket `$CROSSFADE_SOCKET`, which no "
        "other user of the machine can open or take (`gunicorn --bind unix:$CROSSFADE_SOCKET`, `uvicorn --uds ...`).",
        examples=["socket"],
    )
    protocol: Literal["http", "h2c"] = Field(
        default="http",
        description=(
            "What instances speak: `h2c` is HTTP/2 without TLS, for gRPC and for apps that speak nothing else. Such an "
            "instance is healthy when it answers the beginning of a connection; `path` and `codes` are not asked. "
            "Requests of our own are calls of gRPC's health service, whether there is one or not."
        ),
        examples=["h2c"],
    )
    replicas: Annotated[int, Whole(0, 100_000)] = Field(default=1, description="How many instances run.", examples=[2])
    scale: Scale | None = Field(
        default=None,
        description="How it grows and shrinks on AWS. Default: it has `replicas`, always.",
        examples=[{"min": 2, "max": 6, "cpu": "70%"}],
    )
    health: Health = Field(
        default=Health.unwritten(),
        description="How crossfade finds out that an instance works.",
        examples=[{"path": "/health"}],
    )
    drain: Annotated[float, Duration(most=3600)] = Field(
        default=30.0,
        description="How long requests in flight may go on once an instance gets no new ones.",
        examples=["30s"],
    )
    grace: Annotated[float, Duration(most=86400)] = Field(
        default_factory=lambda known: WORKER_GRACE if known.get("kind") == "worker" else 10.0,
        description=(
            "Time between SIGTERM and SIGKILL; for a worker as long as its longest job. Default: 10s, for a worker 60s."
        ),
        examples=["10s"],
    )
    timeout: Annotated[float, Duration(most=86400)] = Field(
        default=0.0, description="The longest a request may take; 0 is no limit.", examples=["60s"]
    )
    idle_timeout: Annotated[float, Duration(most=WEEK)] = Field(
        default=IDLE_TIMEOUT,
        description="When a connection on which nothing moves is closed, WebSockets included; 0 is never.",
        examples=["1h"],
    )
    sticky: Sticky | None = Field(
        default=None,
        description="Keeps a visitor at one instance. Default: any instance answers.",
        examples=[{"cookie": "sessionid", "ttl": "1d"}],
    )
    routes: tuple[Route, ...] = Field(
        default=(Route.unwritten(path="/*"),),
        description="Which requests come here. Default: all.",
        examples=[[{"path": "/api/*"}, {"host": "api.example.com"}]],
    )
    headers: dict[Annotated[str, HEADER], Annotated[str, HeaderValue()]] = Field(
        default={},
        description=(
            "Headers of every answer that does not have them yet. Short words: `hsts` (a duration, said over HTTPS "
            "only), `frame` (deny or sameorigin) and `nosniff` (true)."
        ),
        examples=[{"hsts": "1y", "frame": "deny", "nosniff": True, "Referrer-Policy": "same-origin"}],
    )
    preview: Preview = Field(
        default=Preview.unwritten(),
        description="How to see the new release before visitors do.",
        examples=[{"port": 8081}],
    )
    depends_on: tuple[Annotated[str, NAME], ...] = Field(
        default=(),
        description="Services that must be healthy at their new release before this one is deployed.",
        examples=[["api"]],
    )
    was: Annotated[str, NAME] | None = Field(
        default=None,
        description=(
            "The service whose place this one takes, for a new name: it gets the routes of both in the moment of its "
            "switch, and the old one ends once it is good. Default: nobody's."
        ),
        examples=["web"],
    )
    volumes: tuple[Annotated[Volume, VolumeText()], ...] = Field(
        default=(),
        description="What lasts beyond a release, such as uploads: `NAME:TARGET` is kept by crossfade, `FOLDER:TARGET` "
        "is a folder of this machine. All instances and releases share it; a process finds it in its source.",
        examples=[["uploads:/app/uploads", "./data:/data:ro"]],
    )
    env: dict[Annotated[str, OF_CONTAINERS], Annotated[str, Variable()]] = Field(
        default={},
        description="Environment variables of every instance; on AWS also `{from: database.host}`, `.port`, `.name`, "
        "`.user`, `.password`, `cache.host`, `cache.port`, `bucket.NAME` and `region`, which the environment tells.",
        examples=[{"LOG_LEVEL": "info"}],
    )
    env_file: Annotated[tuple[EnvFile, ...], EnvFiles()] = Field(
        default=(),
        description=(
            "Files of variables, `NAME=value` a line, or `{path: ..., required: false}`. What is in them is kept as "
            "secrets are; `env` wins over them."
        ),
        examples=[[".env"]],
    )
    secrets: Annotated[SecretNames, SecretList()] = Field(
        default_factory=SecretNames,
        description=(
            "Environment variables whose values are never in this file: from the shell of whoever deploys, or `.env` "
            "beside this file. As a mapping: from a `file`, from what a `command` prints, a `value` made of variables "
            "(`postgres://app:${DB_PASSWORD}@db/shop`), or `optional`."
        ),
        examples=[["DATABASE_URL"], {"TOKEN": {"command": "op read op://shop/token"}}],
    )
    resources: Resources = Field(
        default=Resources.unwritten(),
        description="The most an instance may use.",
        examples=[{"cpu": 0.5, "memory": "512M"}],
    )
    hooks: Hooks = Field(
        default=Hooks.unwritten(),
        description="Commands of yours at certain moments.",
        examples=[{"migrate": "python -m app.migrate"}],
    )
    deploy: Deploy = Field(
        default=Deploy.unwritten(), description="How a new release takes over.", examples=[{"strategy": "canary"}]
    )

    @property
    def runtime(self) -> str:
        """Who runs the instances: an image needs Docker, a source folder does not."""
        return "docker" if self.image is not None else "process"

    def impossible(self) -> Iterator[Clash]:
        yield from self._nothing_to_run()
        yield from wrong_for_its_kind(self)
        yield from wrong_static(self)
        if not self.routes:
            yield Clash(
                ("routes",),
                "an empty list, so no request would come here",
                "at least one route, or no routes at all for everything",
            )
        if self.sticky and self.sticky.release and self.deploy.strategy == "recreate":
            allowed = "another strategy: with recreate no two releases run at once"
            yield Clash(("sticky", "release"), "release with the strategy recreate", allowed)
        yield from wrong_headers(self.headers)
        yield from wrong_volumes(self)
        yield from wrong_making(self)
        yield from wrong_place(self)
        yield from self._contradicting_variables()

    def _nothing_to_run(self) -> Iterator[Clash]:
        if self.source is None and self.image is None:
            yield Clash((), "a service with neither source nor image", "one of source, image")
        elif self.source is not None and self.image is not None:
            yield Clash(
                ("image",),
                "an image beside a source",
                "one of source, image; in an environment, `source: null` takes it back",
            )
        elif self.source is not None and self.command is None and self.static is None:
            yield Clash((), "a source without a command", "command, such as python -m app --port $PORT")
        if self.image is None:
            for key in written_for_containers(self):
                yield Clash((key,), f"{key} of a process", f"{key} only beside an image")
        elif self.command is not None and self.command.startswith("-"):
            shown = f"[{self.command.split()[0]}, ...]"
            allowed = f"a list, such as {shown}, which goes to the ENTRYPOINT without a shell"
            if not self.command.words:
                yield Clash(("command",), "a text that begins with -, which no shell runs", allowed)

    def _contradicting_variables(self) -> Iterator[Clash]:
        for name in sorted(self.env.keys() & GIVEN):
            yield Clash(("env", name), f"{name}, which crossfade gives each instance itself", "any other variable")
        for name in self.env if self.image is None else ():
            if "." in name or "-" in name:
                yield Clash(("env", name), f"{name}, which no shell hands on to a process", VARIABLE.allowed)
        for index, name in enumerate(self.secrets):
            if name in GIVEN:
                yield Clash(
                    ("secrets", index), f"{name}, which crossfade gives each instance itself", "any other variable"
                )
            elif name in self.env:
                yield Clash(("secrets", index), f"{name}, which is in env too", "either env or secrets")
