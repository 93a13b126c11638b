"""A balancer whose process is gone, and that may never come back: it leads nobody anywhere, and holds no request."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from crossfade.core.errors import PlatformError
from crossfade.core.routing import Routing
from crossfade.engine.ports.balancer import GoneError


@contextmanager
def told(gone: Callable[[], bool]) -> Iterator[None]:
    """What fails because it is `gone` is a GoneError."""
    try:
        yield
    except PlatformError as error:
        if gone():
            raise GoneError(error.cause, error.way_out) from error
        raise


@contextmanager
def needless(gone: Callable[[], bool]) -> Iterator[None]:
    """What it would have to be told when it is there is no matter when it is `gone`: it begins with what is written."""
    try:
        yield
    except PlatformError:
        if not gone():
            raise


async def reached(ensure: Callable[[], Awaitable[None]], gone: Callable[[], bool], routing: Routing) -> bool:
    """See that it runs. False where it cannot be had, and need not: by this routing nobody is asked any more."""
    try:
        await ensure()
    except PlatformError:
        if routing.registered() or not gone():
            raise
        return False
    return True
