"""A balancer whose process is gone, and that may never come back: it leads nobody anywhere, and holds no request."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from crossfade.core.errors import PlatformError
from crossfade.core.routing import Routing
from crossfade.engine.ports.balancer import GoneError, Report
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

    @property
    def hopeless(self) -> bool:
        """It could not be started again and again: somebody has to do something first."""
        return self._failed >= _HOPELESS

    @contextmanager
    def told(
        self,
        gone: Callable[[], bool],
        report: Callable[[], Report] = Report,
        deserted: Callable[[], bool] = lambda: False,
    ) -> Iterator[None]:
        """What fails because it is `gone` is a GoneError, with `report`: a lasting one where starts are hopeless, so
        that nobody waits for it who can be told.
        """
        try:
            yield
        except PlatformError as error:
            if not gone():
                raise
            cause, way_out = error.cause, error.way_out
            if self.hopeless:
                cause, way_out = f"the balancer is gone and cannot be started: {self._why.cause}", self._why.way_out
            told = GoneError(cause, way_out, told=report(), deserted=deserted())
            told.lasting = self.hopeless
            raise told from error

    async def reached(
        self,
        ensure: Callable[[], Awaitable[None]],
        gone: Callable[[], bool],
        routing: Routing,
        deserted: Callable[[], bool] = lambda: False,
    ) -> bool:
        """See that it runs. False where it cannot be had, and need not: by this routing nobody is asked any more, or
        starts are hopeless, and nobody is asked by any.
        """
        try:
            await ensure()
        except PlatformError:
            if not gone() or (routing.registered() and (deserted() or not self.hopeless)):
                raise
            return False
        return True


@contextmanager
def needless(gone: Callable[[], bool]) -> Iterator[None]:
    """What it would have to be told when it is there is no matter when it is `gone`: it begins with what is written."""
    try:
        yield
    except PlatformError:
        if not gone():
            raise
