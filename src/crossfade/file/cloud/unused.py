"""Keys for a machine of one's own that AWS's load balancer has nothing for: they are without effect there.

It is no mistake, for one file serves both; but who reads it should not take it for granted on AWS.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crossfade.file.model import App

_BY_APP = {
    "listen": "its load balancer listens on 80, and with cloud.domain on 443",
    "tls": "certificates are AWS's own, with cloud.domain",
    "balancer": "AWS's own load balancer stands before services",
}
_BY_SERVICE = {
    "timeout": "its load balancer ends a request that is silent for idle_timeout, and none that goes on",
    "preview.port": "its header leads to the new release there",
    "preview.host": "its header leads to the new release there",
}


def unused(app: "App") -> Iterator[tuple[str, str]]:
    """(key, why) of what an environment on AWS does without, of what is said; none of another platform."""
    if app.platform != "aws":
        return
    stay = app.over_ssh  # hosts that stay have balancers of our own behind AWS's
    for key, why in _BY_APP.items():
        if key in app.model_fields_set and (key == "tls" or not stay):
            yield key, why
    if stay:
        return
    for name, service in app.services.items():
        for key, why in _BY_SERVICE.items():
            part, _, inner = key.partition(".")
            said = inner in getattr(service, part).model_fields_set if inner else part in service.model_fields_set
            if said:
                yield f"services.{name}.{key}", why
