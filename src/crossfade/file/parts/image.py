"""The image of a service: from a registry, or made of a Dockerfile on this machine."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field, model_validator

from crossfade.file.command import Value
from crossfade.file.part import Clash, Part
from crossfade.file.parts.variables.secrets import VARIABLE
from crossfade.file.units import Text

_TEXT = Text(r"[\s\S]*\S[\s\S]*", "text that is not empty")


class Build(Part):
    """How an image is made from a Dockerfile at each deploy. `build: .` is short for `build: {context: .}`."""

    context: Annotated[str, _TEXT] = Field(
        default=".", description="Folder that the Dockerfile sees, or the URL of a git repository.", examples=["api"]
    )
    dockerfile: Annotated[str, _TEXT] | None = Field(
        default=None,
        description="Path of the Dockerfile, from the context. Default: `Dockerfile`.",
        examples=["deploy/Dockerfile"],
    )
    target: Annotated[str, Text(r"\S+", "the name of a stage, without spaces")] | None = Field(
        default=None, description="The stage of it that is meant. Default: the last.", examples=["production"]
    )
    args: dict[Annotated[str, VARIABLE], Annotated[str, Value()]] = Field(
        default={},
        description="Values for its ARG lines. They can be read in the image: nothing secret belongs here.",
        examples=[{"NODE_ENV": "production"}],
    )

    @model_validator(mode="before")
    @classmethod
    def _from_context(cls, data: Any) -> Any:
        return {"context": data} if isinstance(data, str) else data


class Image(Part):
    """Where the image comes from. `image: acme/web:1` is short for `image: {name: acme/web:1}`."""

    name: Annotated[str, Text(r"\S+", "an image name without spaces")] | None = Field(
        default=None,
        description="Its name in a registry; one without a host is on Docker Hub, or was made on this machine.",
        examples=["ghcr.io/acme/feedback:1.4"],
    )
    build: Build | None = Field(
        default=None,
        description="How it is made here, instead: a folder with a Dockerfile, or a mapping.",
        examples=["."],
    )

    credentials: Annotated[str, VARIABLE] | None = Field(
        default=None,
        description="On AWS, the secret of `cloud: secrets` by which tasks pull it from a registry of others: "
        "JSON with `username` and `password`. Default: it is public, or in ECR.",
        examples=["REGISTRY_LOGIN"],
    )

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, data: Any) -> Any:
        return {"name": data} if isinstance(data, str) else data

    def impossible(self) -> Iterator[Clash]:
        if (self.name is None) == (self.build is None):
            found = "neither a name nor a build" if self.name is None else "a name beside a build"
            yield Clash(() if self.name is None else ("name",), found, "one of name, build")
        if self.credentials is not None and self.build is not None:
            yield Clash(("credentials",), "credentials of an image that is built here", "a name beside them")


def is_remote(context: str) -> bool:
    """Docker fetches it itself: the URL of a repository or of an archive."""
    return "://" in context or context.startswith("git@")
