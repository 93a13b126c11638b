"""A folder that is served as it is, beside the services that run."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, model_validator

from crossfade.file.part import Clash, Part
from crossfade.file.units import Text

if TYPE_CHECKING:
    from crossfade.file.parts.service import Service

INSIDE = Text(
    r"(?!/)(?!(.*/)?\.\.(/|$))[^\x00-\x1f]+", "a path below the source, such as dist or public/site, without .. in it"
)
PATTERN = Text(r"/[^\s]*", "a path such as /assets/*")


class Static(Part):
    """A folder of the release: a path, or a mapping. Compressed, with ETags; pages are asked for anew each time."""

    folder: Annotated[str, INSIDE] = Field(
        description="The folder, from `source`. What has a dot in front is not served.", examples=["dist"]
    )
    fallback: Annotated[str, INSIDE] | None = Field(
        default=None,
        description="The page for paths that are not there, of a site that is one page. Scripts, styles and images "
        "that are not there are a 404 all the same.",
        examples=["index.html"],
    )
    immutable: tuple[Annotated[str, PATTERN], ...] = Field(
        default=(),
        description="Paths whose content never changes, which browsers keep for a year. Default: names with a hash, "
        "such as app.3f9a21bc.js.",
        examples=[["/assets/*"]],
    )

    @model_validator(mode="before")
    @classmethod
    def _path_alone(cls, value: Any) -> Any:
        return {"folder": value} if isinstance(value, str) else value


def wrong_static(service: "Service") -> Iterator[Clash]:
    """What says how a program runs, where there is none."""
    if service.static is None:
        return
    if service.source is None:
        yield Clash(("static",), "static without a source", "source, whose copy the folder is in")
    for key in ("command", "kind", "protocol", "listen_on"):
        if key in service.model_fields_set:
            yield Clash((key,), f"{key} beside static, which runs nothing of yours", f"no {key}, or no static")
