"""A host behind a load balancer of AWS: out of service while it changes, and in service again before the next one."""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from crossfade.cli.hosts.host import ControlledHost
from crossfade.core.errors import CrossfadeError, PlatformError
from crossfade.core.hosts import Releases
from crossfade.engine.ports.hosts import HostLostError

if TYPE_CHECKING:
    from crossfade.cli.hosts.cloud import CloudHosts


class BalancedHost(ControlledHost):
    """A host behind a load balancer: deregistered, drained, changed, checked by itself, registered, in service.

    The last one that serves is not taken out: its own balancer makes the change without a gap.
    """

    def __init__(self, cloud: "CloudHosts", *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._cloud = cloud

    def bring(self) -> Releases:
        self._changed(lambda: super(BalancedHost, self).bring())
        return self.runs()

    def go_back(self, before: Releases) -> None:
        self._changed(lambda: super(BalancedHost, self).go_back(before))

    def serves(self) -> bool:
        return self._cloud.serves(self.name)

    def _changed(self, change: Callable[[], object]) -> None:
        if self._cloud.leave(self.name):
            self._screen.say(f"{self.name} is out of service, and idle")
        else:
            self._screen.say(f"{self.name} is the only one that serves: its own balancer makes the change")
        try:
            change()
        except HostLostError:
            raise  # it stays out: nobody knows what it answers
        except CrossfadeError:
            with suppress(PlatformError):  # its controller has taken it back, and it serves what it served
                self._enter()
            raise
        self._enter()

    def _enter(self) -> None:
        if any(number is not None for number in self.runs().values()):
            if why := self.own_trouble():
                raise PlatformError(why)
            self._cloud.enter(self.name)
            self._screen.say(f"{self.name} is in service")
