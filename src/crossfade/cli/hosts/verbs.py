"""The verbs over hosts: what each one does there."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from crossfade.cli.call import Call
from crossfade.cli.hosts import looks, steer
from crossfade.cli.hosts.where import hosts_of
from crossfade.core.errors import RefusedError

_VERBS: Mapping[str, Callable[..., int]] = {
    "status": looks.status,
    "releases": looks.releases,
    "events": looks.events,
    "logs": looks.logs,
    "rollback": steer.rollback,
    "abort": steer.abort,
    "promote": partial(steer.tell, verb="promote"),
    "pause": partial(steer.tell, verb="pause"),
    "resume": partial(steer.tell, verb="resume"),
    "scale": steer.scale,
    "restart": steer.restart,
    "down": steer.down,
}


def over_hosts(call: Call, verb: str, given: Mapping[str, Any]) -> int | None:
    """The verb's exit code over the hosts that the call names; None when it names none.

    RefusedError for a verb that is each host's own.
    """
    where = hosts_of(call)
    if where is None:
        return None
    if verb not in _VERBS:
        raise RefusedError(
            f"`crossfade {verb}` works on one host, and {where.home} has {len(where.hosts)}",
            f"log in and use it there: ssh -t {where.hosts[0]} crossfade {verb} --app {where.app}",
        )
    return _VERBS[verb](call, where, **given)
