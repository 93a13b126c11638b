"""Following a rollout or a release group to its end, through whatever happens to the controller meanwhile."""

import queue
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from crossfade.cli.call import Call
from crossfade.cli.client import ControllerClient, LostError, NotRunningError
from crossfade.cli.machine import controller
from crossfade.cli.ship.screens import Screen
from crossfade.core.errors import PlatformError

POLL = 0.2
RETURN_SECONDS = 10.0  # a controller that was stopped in order may be in the middle of its upgrade
RESTARTS = 5
STUCK = 2.0  # seconds between two looks whether the rollout can go on at all

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What is followed: where its events and its result are, and which services it moves."""

    app: str
    services: tuple[str, ...]
    events: Json  # the query for them
    result: str
    query: Json
    rollout: int = 0  # 0: a group

    def ended_by(self, event: Json) -> bool:
        """Is this its last event?"""
        if not self.rollout:
            return bool(event["service"] == self.app and event["kind"] == "group ended")
        ends = event["kind"] == "move" and event["data"]["action"]["do"] == "Finish"
        return bool(event["rollout"] == self.rollout and ends)


def rollout(begun: Json) -> Followed:
    """A rollout as `deploy` and `rollback` answer it."""
    app, _, service = begun["service"].partition("/")
    where = {"app": app, "service": service}
    return Followed(
        app=app,
        services=(service,),
        events=where,
        result=f"/v1/rollouts/{begun['id']}",
        query=where,
        rollout=begun["id"],
    )


def group(begun: Json) -> Followed:
    """A release group as `deploy` answers it."""
    return Followed(
        app=begun["app"],
        services=tuple(member["service"].partition("/")[2] for member in begun["members"]),
        events={"whole": begun["app"]},
        result=f"/v1/groups/{begun['id']}",
        query={"app": begun["app"]},
    )


class _Listener:
    """Reads events in a thread of its own, so that the one that shows them can do so between two of them."""

    def __init__(self, client: ControllerClient, where: Json, after: int) -> None:
        self.heard: queue.Queue[Json | Exception] = queue.Queue()
        self.looked = time.monotonic()  # when the screen got the state last
        threading.Thread(target=self._listen, args=(client, where, after), daemon=True).start()

    def _listen(self, client: ControllerClient, where: Json, after: int) -> None:
        try:
            for event in client.lines("/v1/events", **where, follow=1, after=after):
                self.heard.put(event)
            self.heard.put(LostError("the controller went away"))
        except Exception as error:  # noqa: BLE001  whoever waits for the next event would wait for ever
            self.heard.put(error)


def follow(call: Call, followed: Followed, seq: int, screen: Screen) -> Any:
    """Show it from event `seq` on until it is over, and return its result as the API has it.

    A controller that was killed is started again, because only then does it go on. Raises PlatformError when one that
    was stopped in order does not come back.
    """
    seen, ended = seq, False
    for _ in range(RESTARTS):
        try:
            listener = None if ended else _Listener(call.client(), followed.events, seen)
            while listener and not ended:
                event = _next(call, listener, followed, screen)
                seen = event["seq"]
                screen.event(event)
                ended = followed.ended_by(event)
            # On a machine without time it may be long in coming, and nothing else says how the rollout ended.
            return call.client().wait(followed.result, **followed.query)
        except (LostError, NotRunningError):
            if call.environment:
                raise
            _bring_back(call, screen)
    raise PlatformError("the controller went away again and again", f"its log is {call.state.log}")


def _next(call: Call, listener: _Listener, followed: Followed, screen: Screen) -> Json:
    """The next event; the screen gets the state of what moves as often as it wants, however many events there are."""
    hoped = time.monotonic()
    while True:
        if screen.tick and time.monotonic() - listener.looked >= screen.tick:
            listener.looked = time.monotonic()
            _look(call, followed, screen)
        try:
            heard = listener.heard.get(timeout=screen.tick or STUCK)
        except queue.Empty:
            if time.monotonic() - hoped >= STUCK:
                hoped = time.monotonic()
                _require_hope(call, followed)
        else:
            if isinstance(heard, Exception):
                raise heard
            return heard


def _look(call: Call, followed: Followed, screen: Screen) -> None:
    with suppress(PlatformError):
        looks = "0" if call.carries else None  # what this process does not carry costs calls to look at
        name = followed.services[0] if followed.rollout else None
        asked = {"app": followed.app, "service": name, "moving": 1, "looks": looks}
        services = call.client().get("/v1/status", **asked)["services"]
        mine = [one for one in services if one["name"] in followed.services]
        for one in [one for one in mine if one["rollout"]] or mine[:1]:
            screen.state(one)


def _require_hope(call: Call, followed: Followed) -> None:
    """PlatformError where the rollout cannot go on until somebody does something."""
    if call.carries:
        stuck = call.client().get("/v1/stuck")
        left = f"traffic stays as it is, and `crossfade resume -e {call.environment}` goes on"
    else:
        service = _stuck(call, followed)
        stuck = service and service["trouble"] and service["stuck"]  # else it goes on without what is stuck
        left = "the rollout goes on as soon as that is mended, and `crossfade abort` has it taken back then"
    if stuck:
        raise _lacking(stuck, left)


def require_served(call: Call, followed: Followed) -> None:
    """PlatformError where it went well, and nobody gets to it for want of what will not come back by itself."""
    if not call.carries and (service := _stuck(call, followed)):
        raise _lacking(service["stuck"], "visitors get to that release as soon as that is mended")


def _stuck(call: Call, followed: Followed) -> Json | None:
    """The first of its services that lacks what will not come back by itself."""
    services = call.client().get("/v1/status", app=followed.app, moving=1)["services"]
    return next((one for one in services if one["name"] in followed.services and one.get("stuck")), None)


def _lacking(stuck: Json, left: str) -> PlatformError:
    """What is lacking, what to do about it, and what becomes of what is `left`."""
    return PlatformError(stuck["cause"], f"{stuck['way_out']}; {left}" if stuck["way_out"] else left)


def _bring_back(call: Call, screen: Screen) -> None:
    deadline = time.monotonic() + RETURN_SECONDS
    while time.monotonic() < deadline:
        try:
            call.client().get("/v1/controller")
        except NotRunningError as error:
            if not error.stopped:
                screen.say("the controller went away; starting it again")
                controller.ensure(call.state)
                screen.say("the controller is back and goes on")
                return
        except LostError:
            pass
        else:
            return
        time.sleep(POLL)
    raise PlatformError(
        "the controller was stopped in the middle of the rollout",
        "everything goes on serving as it is; `crossfade up` lets the rollout go on",
    )
