"""Following a rollout to its end, through whatever happens to the controller meanwhile."""

import queue
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from crossfade.cli.call import Call
from crossfade.cli.client import Client, LostError, NotRunningError
from crossfade.cli.machine import controller
from crossfade.cli.ship.screens import Screen
from crossfade.core.errors import CrossfadeError, PlatformError

POLL = 0.2
RETURN_SECONDS = 10.0  # a controller that was stopped in order may be in the middle of its upgrade
RESTARTS = 5

Json = Mapping[str, Any]


class _Listener:
    """Reads events in a thread of its own, so that the one that shows them can do so between two of them."""

    def __init__(self, client: Client, where: Json, after: int) -> None:
        self.heard: queue.Queue[Json | CrossfadeError] = queue.Queue()
        threading.Thread(target=self._listen, args=(client, where, after), daemon=True).start()

    def _listen(self, client: Client, where: Json, after: int) -> None:
        try:
            for event in client.lines("/v1/events", **where, follow=1, after=after):
                self.heard.put(event)
            self.heard.put(LostError("the controller went away"))
        except CrossfadeError as error:
            self.heard.put(error)


def follow(call: Call, rollout: Json, screen: Screen) -> Any:
    """Show a rollout until it is over, and return its result: `{"rollout", "traffic"}`.

    A controller that was killed is started again, because only then does the rollout go on. Raises PlatformError when
    one that was stopped in order does not come back.
    """
    app, _, service = rollout["service"].partition("/")
    where, seen, ended = {"app": app, "service": service}, rollout["seq"], False
    for _ in range(RESTARTS):
        try:
            listener = None if ended else _Listener(call.client(), where, seen)
            while listener and not ended:
                event = _next(call, listener, where, screen)
                seen = event["seq"]
                screen.event(event)
                ended = event["rollout"] == rollout["id"] and _is_end(event)
            return call.client().get(f"/v1/rollouts/{rollout['id']}", **where)
        except (LostError, NotRunningError):
            _bring_back(call, screen)
    raise PlatformError("the controller went away again and again", f"its log is {call.state.log}")


def _next(call: Call, listener: _Listener, where: Json, screen: Screen) -> Json:
    """The next event; while there is none, the screen gets the rollout's state as often as it wants."""
    shown = time.monotonic()
    while True:
        try:
            heard = listener.heard.get(timeout=screen.tick or None)
        except queue.Empty:
            pass
        else:
            if isinstance(heard, CrossfadeError):
                raise heard
            return heard
        if screen.tick and time.monotonic() - shown >= screen.tick:
            shown = time.monotonic()
            with suppress(PlatformError):
                for one in call.client().get("/v1/status", app=where["app"])["services"]:
                    if one["name"] == where["service"]:
                        screen.state(one)


def _is_end(event: Json) -> bool:
    return bool(event["kind"] == "move" and event["data"]["action"]["do"] == "Finish")


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
