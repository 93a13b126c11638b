"""Stickiness: where a visitor comes back to."""

from typing import Annotated, Literal

from pydantic import Field

from crossfade.file.part import Part
from crossfade.file.units import Duration, Text

_NAME = Text(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}", "a cookie name without spaces or = ; ,")


class Sticky(Part):
    """Sends the requests of one visitor to the same instance, by a cookie."""

    cookie: Annotated[str, _NAME] = Field(
        default="crossfade",
        description="The app's own cookie, which says who a visitor is. Who brings none gets the balancer's.",
        examples=["sessionid"],
    )
    own: Annotated[str, _NAME] | Literal[""] = Field(
        default="",
        description="Name of the balancer's cookie. Default: `crossfade-<cookie>`, for under the name of one that the "
        "app sets it would overwrite the session that the app just began. On AWS the balancer names its own.",
        examples=["stay"],
    )
    ttl: Annotated[float, Duration(least=1)] = Field(
        default=86400.0, description="How long a visitor stays with the instance.", examples=["1d"]
    )
    release: bool = Field(
        default=False,
        strict=True,
        description="A visitor stays with one release, too, while it runs: nobody sees half of two, and sessions of "
        "the old one end when it goes, not in the switch. Shares of a canary are those of new visitors.",
        examples=[True],
    )
