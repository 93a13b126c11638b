"""Variables whose values an environment knows and nobody writes: the address of its database, the name of a bucket."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import JsonSchemaValue

from crossfade.file.command import Value
from crossfade.file.part import Clash
from crossfade.file.reading.problem import nearest

if TYPE_CHECKING:
    from crossfade.file.cloud.model import Cloud
    from crossfade.file.parts.service import Service

OF_DATABASE = ("database.host", "database.port", "database.name", "database.user", "database.password")
OF_CACHE = ("cache.host", "cache.port")
OF_BUCKET = "bucket."  # and its name in the file
REGION = "region"
HIDDEN = "database.password"
_KNOWN = (*OF_DATABASE, *OF_CACHE, f"{OF_BUCKET}NAME", REGION)
_FORM = "text, or where AWS knows it, such as {from: database.host}"


class Origin(str):
    """Where a value comes from: `database.host`."""

    __slots__ = ()


@dataclass(frozen=True)
class Variable(Value):
    """The value of a variable: text, or `{from: database.host}` for what only the environment on AWS knows."""

    def read(self, value: object) -> str:
        if isinstance(value, Origin):
            return value
        if not isinstance(value, dict):
            return super().read(value)
        word = value.get("from")
        if value.keys() != {"from"} or not isinstance(word, str):
            raise ValueError(_FORM)
        if word not in _KNOWN and not (word.startswith(OF_BUCKET) and word != OF_BUCKET):
            meant = nearest(word, _KNOWN)
            hint = f"{meant}, or another " if meant else ""
            raise ValueError(f"{hint}one of {', '.join(_KNOWN)}")
        return Origin(word)

    def write(self, value: str) -> Any:
        return {"from": str(value)} if isinstance(value, Origin) else value

    def schema(self) -> JsonSchemaValue:
        pattern = "|".join(word.replace(".", "\\.") for word in (*OF_DATABASE, *OF_CACHE, REGION))
        word = {"type": "string", "pattern": f"^({pattern}|bucket\\.[a-z0-9-]+)$"}
        told = {"type": "object", "properties": {"from": word}, "required": ["from"], "additionalProperties": False}
        return {"anyOf": [super().schema(), told]}


def texts(env: Mapping[str, str]) -> dict[str, str]:
    """The variables whose values are in the file."""
    return {name: value for name, value in env.items() if not isinstance(value, Origin)}


def origins(env: Mapping[str, str]) -> dict[str, Origin]:
    """Those that the environment knows, and where from."""
    return {name: value for name, value in env.items() if isinstance(value, Origin)}


def unknown_here(services: "Mapping[str, Service]") -> Iterator[Clash]:
    """Where no place of AWS is, nobody knows them."""
    for name, service in services.items():
        for variable, origin in origins(service.env).items():
            key = ("services", name, "env", variable)
            yield Clash(key, f"{origin} in an environment that is not on AWS", "text for this environment")


def unknown_on_aws(services: "Mapping[str, Service]", cloud: "Cloud") -> Iterator[Clash]:
    """What the environment does not have it cannot tell; hosts that stay read no secret by themselves."""
    for name, service in services.items():
        for variable, origin in origins(service.env).items():
            key = ("services", name, "env", variable)
            if origin in OF_DATABASE and cloud.database is None:
                yield Clash(key, f"{origin} without a database", "cloud: {database: {...}}")
            elif origin in OF_CACHE and cloud.cache is None:
                yield Clash(key, f"{origin} without a cache", "cloud: {cache: {...}}")
            elif origin.startswith(OF_BUCKET) and (bucket := origin.removeprefix(OF_BUCKET)) not in cloud.buckets:
                known = list(cloud.buckets)
                allowed = f"one of {', '.join(known)}" if known else f"cloud: {{buckets: {{{bucket}: {{}}}}}}"
                yield Clash(key, f"{origin}, which is not in cloud.buckets", allowed, nearest(bucket, known))
            elif origin == HIDDEN and cloud.compute.kind == "hosts":
                yield Clash(
                    key, f"{origin} on hosts that stay", "compute: {kind: autoscaling}, or a secret of your own"
                )
