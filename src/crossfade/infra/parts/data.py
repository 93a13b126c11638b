"""What keeps data: database, cache, buckets."""

from collections.abc import Iterator

from crossfade.infra.hcl import Block
from crossfade.spec.model import App


def data(app: App) -> Iterator[Block]:
    del app
    yield from ()
