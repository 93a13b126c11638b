"""A release is carried over hosts: decided, written down, done, written down again, until it is over."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crossfade.core.actions import Finish
from crossfade.core.errors import CrossfadeError, RefusedError, StaleTokenError
from crossfade.core.hosts import HostsLedger, HostsRollout, Releases
from crossfade.core.rollout import State
from crossfade.engine.hosts import fold
from crossfade.engine.ports.hosts import Host, HostLostError, HostsJournal
from crossfade.engine.ports.journal import Event
from crossfade.strategies.several.hosts import Bring, GoBack, HostsAction, Leave, ReturnHost, next_over_hosts

Told = Callable[[Event], None]


class Carried:
    """The journeys of one environment with their record, and the one that is under way.

    `told` hears of every event once it is written.
    """

    def __init__(self, journal: HostsJournal, told: Told = lambda _: None) -> None:
        self._journal = journal
        self._told = told
        self.ledger: HostsLedger = fold.ledger_of(journal.events())

    def begin(
        self, before: Mapping[str, Releases], what: str, *, by: str, version: str = "", to: int | None = None
    ) -> HostsRollout:
        """Put a new journey on record, over hosts in their order, with what runs on each."""
        number = len(self.ledger.rollouts) + 1
        self._write(
            fold.BEGAN,
            id=number,
            hosts=list(before),
            before={name: dict(releases) for name, releases in before.items()},
            what=what,
            version=version or f"r{number}",
            to=to,
            by=by,
        )
        return self._newest

    def take_up(self, hosts: Sequence[str], by: str) -> HostsRollout:
        """Go on with the one that was left, over those of its hosts that are still there."""
        self._write(fold.TAKEN_UP, hosts=list(hosts), by=by)
        return self._newest

    def turn_back(self, reason: str) -> None:
        """Send the one under way back, if it does not go back already."""
        if not self._newest.reason:
            self._write(fold.GOES_BACK, reason=reason, ending=State.ABORTED)

    def carry(self, hosts: Mapping[str, Host]) -> HostsRollout:
        """Bring it to its end, or as far as it gets while a host cannot be told to go back.

        Raises HostLostError when the record cannot be reached any more, StaleTokenError when somebody took it over:
        then nothing is done that is not on record.
        """
        while (action := next_over_hosts(self._newest, _Serving(hosts))) is not None:
            if isinstance(action, Leave):
                break
            self._do(action, hosts)
        return self._newest

    @property
    def _newest(self) -> HostsRollout:
        return self.ledger.rollouts[-1]

    def _do(self, action: HostsAction, hosts: Mapping[str, Host]) -> None:
        match action:
            case Bring(host=name):
                self._write(fold.HOST_BEGUN, host=name)
                self._bring(hosts[name])
            case ReturnHost(host=name):
                self._return(hosts[name])
            case GoBack(reason=reason, ending=ending):
                self._write(fold.GOES_BACK, reason=reason, ending=ending)
            case Finish(state=state, reason=reason):
                self._write(fold.ENDED, state=state, reason=reason)

    def _bring(self, host: Host) -> None:
        try:
            after = host.bring()
            why = host.trouble()
        except StaleTokenError:
            raise
        except CrossfadeError as error:
            refused = f" ({error.way_out})" if isinstance(error, RefusedError) and error.way_out else ""
            self._write(fold.HOST_FAILED, host=host.name, why=f"{error.cause}{refused}")
            return
        if why:
            self._write(fold.HOST_FAILED, host=host.name, why=why, after=dict(after))
        else:
            self._write(fold.HOST_DONE, host=host.name, after=dict(after))

    def _return(self, host: Host) -> None:
        try:
            host.go_back(self._newest.host(host.name).before)
        except CrossfadeError as error:
            self._write(fold.HOST_LOST, host=host.name, why=error.cause)
        else:
            self._write(fold.HOST_BACK, host=host.name)

    def _write(self, kind: str, **data: Any) -> None:
        event = self._journal.append(kind, data)
        self.ledger = fold.grown(self.ledger, event)
        self._told(event)


class _Serving:
    """The hosts that answer just now, each asked when the decision looks at it."""

    def __init__(self, hosts: Mapping[str, Host]) -> None:
        self._hosts = hosts

    def __contains__(self, name: object) -> bool:
        try:
            return self._hosts[str(name)].serves()
        except (KeyError, HostLostError):
            return False
