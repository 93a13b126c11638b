"""Routes: which requests come to a service, and how its new release is seen before visitors do."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from crossfade.file.part import Clash, Part
from crossfade.file.units import Text, Whole

PORT = Whole(1, 65535)
ADDRESS = Text(r"[0-9A-Fa-f.:]{2,45}", "an IP address such as 127.0.0.1, or 0.0.0.0 for all")
PATH = Text(
    r"/|/\*|(/[A-Za-z0-9._~!$&'()+,;=:@%-]+)+(/|/\*)?",
    "a path such as /api, or /api/* for everything below, other characters as in a URL (%20)",
)


class Route(Part):
    """Requests that a service gets: by path, by host, or both. The most exact one wins."""

    path: Annotated[str, PATH] = Field(
        default="/*",
        description="An exact path, or one that ends in `/*` for it and everything below it.",
        examples=["/api/*"],
    )
    host: (
        Annotated[
            str,
            Text(
                r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*",
                "a host name in lower-case letters, such as api.example.com or *.example.com",
            ),
        ]
        | None
    ) = Field(
        default=None,
        description="The host that was asked for, without port. Default: any.",
        examples=["api.example.com"],
    )

    def impossible(self) -> Iterator[Clash]:
        if not self.model_fields_set:
            yield Clash((), "a route without path and host", "a path such as /api/*, a host, or both")


class Preview(Part):
    """A way to see the new release before visitors do: a header, and if you like a port of its own."""

    header: Annotated[str, Text(r"[A-Za-z0-9-]{1,64}", "a header name of letters, digits and hyphens")] = Field(
        default="X-Crossfade-Preview",
        description=(
            "Requests whose header of this name has the secret that `status` shows go to the new release. Hooks are "
            "given it."
        ),
        examples=["X-Try-Me"],
    )
    port: Annotated[int, PORT] | None = Field(
        default=None, description="A port on which everything goes to the new release. Default: none.", examples=[8081]
    )
    host: Annotated[str, ADDRESS] = Field(
        default="127.0.0.1",
        description="Address to open that port at. It asks nobody for a secret: by default it is for this machine.",
        examples=["10.0.0.7"],
    )
