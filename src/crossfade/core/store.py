"""A store: what keeps an app's data beside its services, and is not part of their releases."""

from dataclasses import dataclass

from crossfade.core.service import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """One container with volumes. `service` says how it is made, in the words of every container.

    It is ready when `service.health.command` ends with 0 in it, asked each `interval` for up to `patience` seconds;
    without a command as soon as it runs. `port` is opened for processes on this machine's loopback; None: it is not.
    `inside` is where it listens itself; None: at the same one.
    What `backup` writes in it is kept, the newest `keep` times; `restore` reads it. By the clock it is done at
    `schedule`, five words of cron meant in `timezone`. None of these is part of what it is.
    """

    service: Service
    port: int | None = None
    inside: int | None = None
    patience: float = 60.0
    backup: str = ""
    restore: str = ""
    keep: int = 7
    schedule: str = ""
    timezone: str = "UTC"

    @property
    def key(self) -> str:
        """`app/store`."""
        return self.service.key
