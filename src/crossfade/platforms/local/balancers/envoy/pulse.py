"""The pulse of Envoy's main thread: whether it works, told from one that is busy or gets no processor."""

import time

from crossfade.platforms.local.balancers.envoy.admin import Admin, UnableError
from crossfade.platforms.local.balancers.known import KnownProcess
from crossfade.platforms.local.kernel.proc import Thread

_EVERY = 1.0  # seconds between two questions
_PATIENCE = 1.0  # seconds for an answer
_STOPPED = 2.5  # seconds of silence in which it did nothing at all, after which it is taken to hang
_BUSY = 30.0  # and in which it worked: it can be busy for ten when a predecessor died under it


class Pulse:
    """Asks Envoy now and then. Silence alone says little: what it did meanwhile tells hanging from working."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin
        self._asked_at = 0.0
        self._silent_since = 0.0
        self._still_since = 0.0
        self._before: Thread | None = None  # the main thread when it last did something; None: it answers

    async def hangs(self, envoy: KnownProcess) -> bool:
        """Has it been silent for longer than what it does explains? Asks at most once a second.

        UnableError when it cannot be asked: silence that is ours is not held against it.
        """
        began = time.monotonic()
        if began < self._asked_at + _EVERY:
            return False
        now = envoy.main_thread()
        try:
            answers = await self._admin.answers(_PATIENCE)
        except UnableError:
            self._before = None
            raise
        self._asked_at = time.monotonic()
        if answers or now is None:
            self._before = None
            return False
        if self._before is None:
            self._silent_since = began
        if self._before is None or now.cpu != self._before.cpu or now.runnable:
            self._before, self._still_since = now, began
        return self._asked_at > self._still_since + _STOPPED or self._asked_at > self._silent_since + _BUSY
