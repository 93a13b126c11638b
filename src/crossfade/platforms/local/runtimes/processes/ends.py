"""The end of an instance, as the kernel tells it: at its port somebody else may listen before anybody looks again."""

import asyncio
import os
from collections.abc import Callable

from crossfade.platforms.local.runtimes.processes import proc
from crossfade.platforms.local.runtimes.processes.proc import Process


class Ends:
    """Tells whose instance has ended, at once. `told` gets what was said to be told."""

    def __init__(self) -> None:
        self.told: Callable[[str], None] = lambda _: None
        self._watched: dict[str, int] = {}

    def watch(self, instance: str, process: Process, service: str) -> None:
        """Once for each instance. Where no file can be spared a look finds its end."""
        if instance in self._watched:
            return
        try:
            handle = proc.handle(process)
        except OSError:
            return
        if handle is not None:
            self._watched[instance] = handle
            asyncio.get_running_loop().add_reader(handle, self._ended, instance, service)

    def forget(self, instance: str) -> None:
        """Its end is known; nothing happens when it was not watched."""
        handle = self._watched.pop(instance, None)
        if handle is not None:
            asyncio.get_running_loop().remove_reader(handle)
            os.close(handle)

    def close(self) -> None:
        """Instances go on."""
        for instance in list(self._watched):
            self.forget(instance)

    def _ended(self, instance: str, service: str) -> None:
        self.forget(instance)
        self.told(service)
