"""Where a visitor comes back to."""

from typing import Annotated

from pydantic import Field

from crossfade.file.part import Part
from crossfade.file.units import Duration, Text


class Sticky(Part):
    """Sends the requests of one visitor to the same instance, by a cookie."""

    cookie: Annotated[str, Text(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}", "a cookie name without spaces or = ; ,")] = Field(
        default="crossfade",
        description="The app's own cookie, which says who a visitor is. Who brings none gets the balancer's, "
        "`crossfade-<cookie>`: under the app's name it would overwrite the session that the app just began.",
        examples=["sessionid"],
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
