"""Stores: databases, caches and queues that run beside the services, and that no deploy touches."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from pydantic.json_schema import JsonSchemaValue

from crossfade.core.service import Volume
from crossfade.file.command import Command, CommandLine, Value
from crossfade.file.part import Clash, Part
from crossfade.file.parts.container import Contained
from crossfade.file.parts.image import Image
from crossfade.file.parts.schedule import SCHEDULE, wrong_times
from crossfade.file.parts.service import NAME, Resources, Service
from crossfade.file.parts.variables.secrets import OF_CONTAINERS, EnvFile, EnvFiles, SecretList, SecretNames
from crossfade.file.parts.volumes import VolumeText, wrong_volumes
from crossfade.file.parts.web.listen import Listen
from crossfade.file.units import Duration, Notation, Whole

_LARGEST = 65_535
_WITH_LOOPBACK = ("0.0.0.0", "127.0.0.1")  # noqa: S104  addresses at which a port is taken on loopback, too


class StoreHealth(Part):
    """When a store is ready for services to start."""

    command: Annotated[CommandLine, Command()] = Field(
        description="Runs in its container, and ends with 0 when it is ready.", examples=["pg_isready -h 127.0.0.1"]
    )
    interval: Annotated[float, Duration(least=0.05, most=3600)] = Field(
        default=1.0, description="Time between two tries.", examples=["2s"]
    )
    timeout: Annotated[float, Duration(least=0.1, most=3600)] = Field(
        default=60.0, description="How long it may take to become ready.", examples=["5m"]
    )


class Backup(Part):
    """How a store's data is written down and given back: before each migration, and by `crossfade backup`."""

    command: Annotated[CommandLine, Command()] = Field(
        description="Runs in its container and writes the backup to its output.",
        examples=["pg_dump -U postgres --clean --if-exists shop"],
    )
    restore: Annotated[CommandLine, Command()] | None = Field(
        default=None,
        description="Runs in its container and reads a backup. Default: it is given back by hand.",
        examples=["psql -U postgres -v ON_ERROR_STOP=1 shop"],
    )
    keep: Annotated[int, Whole(1, 1000)] = Field(default=7, description="How many are kept.", examples=[30])
    schedule: Annotated[str, SCHEDULE] | None = Field(
        default=None,
        description="When the controller makes one by itself, in five words of cron. Default: only when asked, and "
        "before a migration.",
        examples=["0 3 * * *"],
    )
    timezone: str = Field(default="UTC", description="In which the schedule is meant.", examples=["Asia/Seoul"])

    def impossible(self) -> Iterator[Clash]:
        yield from wrong_times(self.schedule, self.timezone)


@dataclass(frozen=True, slots=True)
class Opened:
    """A port of a store: where it is open on this machine, and where the store listens (None: at the same one)."""

    here: int
    inside: int | None = None


@dataclass(frozen=True)
class OpenedPort(Notation):
    """`5432`, or `5433:5432` as Compose and Docker write it."""

    def read(self, value: object) -> Opened:
        if isinstance(value, Opened):
            return value
        parts = value.split(":") if isinstance(value, str) else [str(value)]
        numbers = [int(part) for part in parts if part.isdecimal() and 1 <= int(part) <= _LARGEST]
        if isinstance(value, bool) or len(numbers) != len(parts) or len(parts) > 2:  # noqa: PLR2004  here, inside
            raise ValueError("a port from 1 to 65535, or two with a colon, such as 5433:5432: here, and its own")
        return Opened(*numbers)

    def write(self, value: Opened) -> int | str:
        return f"{value.here}:{value.inside}" if value.inside else value.here

    def schema(self) -> JsonSchemaValue:
        return {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": _LARGEST},
                {"type": "string", "pattern": "^[0-9]{1,5}(:[0-9]{1,5})?$"},
            ]
        }


class Store(Contained):
    """What keeps data: a container that is started before the services, reached by its name, and left as it is."""

    image: Image = Field(description="Container image, as of a service.", examples=["postgres:16"])
    command: Annotated[CommandLine, Command()] | None = Field(
        default=None,
        description="As of a service. Default: the image's own.",
        examples=[["redis-server", "--save", "60"]],
    )
    volumes: tuple[Annotated[Volume, VolumeText()], ...] = Field(
        description="Where it keeps its data; they outlive it. A file of this machine can be read, with `:ro`.",
        examples=[["data:/var/lib/postgresql/data"]],
    )
    depends_on: tuple[Annotated[str, NAME], ...] = Field(
        default=(), description="Stores that must be ready before this one is started.", examples=[["zookeeper"]]
    )
    env: dict[Annotated[str, OF_CONTAINERS], Annotated[str, Value()]] = Field(
        default={}, description="Its environment variables.", examples=[{"POSTGRES_DB": "shop"}]
    )
    env_file: Annotated[tuple[EnvFile, ...], EnvFiles()] = Field(
        default=(), description="Files of variables, as of a service.", examples=[[".env"]]
    )
    secrets: Annotated[SecretNames, SecretList()] = Field(
        default_factory=SecretNames,
        description="Environment variables whose values are never in this file, as of a service.",
        examples=[["POSTGRES_PASSWORD"]],
    )
    health: StoreHealth | None = Field(
        default=None,
        description="When it is ready. Default: as soon as it runs.",
        examples=[{"command": "pg_isready -h 127.0.0.1"}],
    )
    backup: Backup | None = Field(
        default=None,
        description="How its data is written down. Default: not by crossfade.",
        examples=[{"command": "pg_dump -U postgres shop", "restore": "psql -U postgres shop"}],
    )
    port: Annotated[Opened, OpenedPort()] | None = Field(
        default=None,
        description="Its port, opened on this machine's loopback for processes; `5433:5432` opens its 5432 as 5433. "
        "Containers need none: they find it by its name. Default: not opened.",
        examples=[5432],
    )
    grace: Annotated[float, Duration(most=86400)] = Field(
        default=60.0, description="Time between SIGTERM and SIGKILL.", examples=["2m"]
    )
    resources: Resources = Field(
        default=Resources.unwritten(), description="The most it may use.", examples=[{"cpu": 2, "memory": "2G"}]
    )

    def impossible(self) -> Iterator[Clash]:
        if self.image.credentials is not None:
            yield Clash(
                ("image", "credentials"), "credentials of a store", "`docker login`, by which it is pulled here"
            )
        if all(volume.read_only for volume in self.volumes):
            found = "a store that may write to none of its volumes" if self.volumes else "a store without a volume"
            yield Clash(("volumes",), found, "at least one for its data, such as data:/var/lib/postgresql/data")
        yield from wrong_volumes(self)


def wrong_together(stores: Mapping[str, Store], services: Mapping[str, Service], listen: Listen) -> Iterator[Clash]:
    """Names, volumes and ports of this machine's loopback that two would have."""
    owners: dict[str, str] = {}
    ports = _taken(services, listen)
    for name, store in stores.items():
        there = ("stores", name)
        if name in services:
            yield Clash(there, f'"{name}", which is a service too', "a name of its own")
        for index, volume in enumerate(store.volumes):
            owner = owners.setdefault(volume.source, name) if volume.named or not volume.read_only else name
            if owner != name:
                found = f"{volume.source}, which the store {owner} has too"
                yield Clash((*there, "volumes", index), found, "a volume of its own")
        if store.port is not None:
            owner = ports.setdefault(store.port.here, f"stores.{name}.port")
            if owner != f"stores.{name}.port":
                allowed = f"a port of its own, such as {_beside(store.port)}"
                yield Clash((*there, "port"), f"{store.port.here}, which is {owner} too", allowed)


def _taken(services: Mapping[str, Service], listen: Listen) -> dict[int, str]:
    """By port, what is open for visitors on loopback, too."""
    found = {listen.http: "listen.http", listen.https: "listen.https"} if listen.host in _WITH_LOOPBACK else {}
    for name, service in services.items():
        if service.preview.host in _WITH_LOOPBACK:
            found.setdefault(service.preview.port, f"services.{name}.preview.port")
    return {port: owner for port, owner in found.items() if port is not None}


def _beside(port: Opened) -> str:
    """The port after this one, where the store listens as before: 5433:5432."""
    return f"{port.here % _LARGEST + 1}:{port.inside or port.here}"
