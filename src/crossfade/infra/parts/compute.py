"""What runs the services, and where their images are kept."""

from collections.abc import Iterator

from crossfade.infra.hcl import Block
from crossfade.spec.model import App


def compute(app: App) -> Iterator[Block]:
    del app
    yield from ()
