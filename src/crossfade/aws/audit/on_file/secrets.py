"""What should be secret and is not, or is for too long."""

from collections.abc import Iterator

from crossfade.aws.audit.finding import Spot
from crossfade.aws.audit.secret import looks_secret
from crossfade.file.model import App
from crossfade.file.parts.variables.origin import texts


def in_plain_sight(app: App) -> Iterator[Spot]:
    for name, service in app.services.items():
        for variable, value in texts(service.env).items():
            if why := looks_secret(variable, value):
                yield Spot(("services", name, "env", variable), f"{variable} of service {name} {why}")


def never_rotated(app: App) -> Iterator[Spot]:
    for name, secret in app.cloud.secrets.items():
        if secret.rotate is None:
            yield Spot(("cloud", "secrets", name, "rotate"), f"{name} stays the same until somebody changes it")


ALWAYS = {"CF-SEC-001": in_plain_sight}
CHECKS = {"CF-SEC-002": never_rotated}
