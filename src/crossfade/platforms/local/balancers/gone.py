"""A balancer whose process is gone, and that may never come back: it leads nobody anywhere, and holds no request."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from crossfade.core.errors import PlatformError
from crossfade.core.routing import Routing
from crossfade.engine.ports.balancer import GoneError
from crossfade.shortage import shortage

_HOPELESS = 5  # failed starts in a row


class Starts:
    """What came of starting it: how often in a row that failed, and why."""

    def __init__(self) -> None:
        self._failed = 0
        self._why = PlatformError("")

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Around a start."""
        try:
            yield
        except Exception as error:
            self._failed += 1
            known = error if isinstance(error, PlatformError) else shortage(error)
            self._why = known or PlatformError(str(error) or repr(error))
            raise
        self._failed = 0

    @contextmanager
    def told(self, gone: Callable[[], bool]) -> Iterator[None]:
        """What fails because it is `gone` is a GoneError: a lasting one where it could not be started again and again,
        so that nobody waits for it who can be told.
        """
        try:
            yield
        except PlatformError as error:
            if not gone():
                raise
            if self._failed < _HOPELESS:
                raise GoneError(error.cause, error.way_out) from error
            told = GoneError(f"the balancer is gone and cannot be started: {self._why.cause}", self._why.way_out)
            told.lasting = True
            raise told from error


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
