"""Ends of instances, told by the kernel at once."""

import asyncio
import os
from collections.abc import Callable

from crossfade.platforms.local.kernel import proc
from crossfade.platforms.local.kernel.proc import Process


class Ends:
    """The ends of instances, told as the kernel does: at its port a stranger may listen before anybody looks again.

    `told` gets what was said to be told.
    """

    def __init__(self) -> None:
        self.told: Callable[[str], None] = lambda _: None
        self._watched: dict[str, int] = {}

    def watch(self, instance: str, process: Process, service: str) -> None:
        """Once for each instance. Where no file can be spared a look finds its end."""
        if instance in self._watched:
            return
        try:
            watched = proc.handle(process)
        except OSError:
            return
        if watched is not None:
            self._watched[instance] = watched
            asyncio.get_running_loop().add_reader(watched, self._ended, instance, service)

    def forget(self, instance: str) -> None:
        """Its end is known; nothing happens when it was not watched."""
        watched = self._watched.pop(instance, None)
        if watched is not None:
            asyncio.get_running_loop().remove_reader(watched)
            os.close(watched)

    def close(self) -> None:
        """Instances go on."""
        for instance in list(self._watched):
            self.forget(instance)

    def _ended(self, instance: str, service: str) -> None:
        self.forget(instance)
        self.told(service)
