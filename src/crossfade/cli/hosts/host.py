"""A host as the journey over hosts sees it: what runs there, how it changes, how it goes back."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossfade.cli.call import Call, who
from crossfade.cli.client import ControllerClient, LostError, NotRunningError
from crossfade.cli.hosts.api import lost
from crossfade.cli.hosts.door import Ask, found_wrong
from crossfade.cli.hosts.where import Reached
from crossfade.cli.hosts.witness import Witness
from crossfade.cli.ship.follow import Followed, follow, group, rollout
from crossfade.cli.ship.screens import Lines, Screen, standing
from crossfade.core.errors import CrossfadeError, PlatformError, RefusedError, UnchangedError, WrongInputError
from crossfade.core.hosts import Releases
from crossfade.paths import StateDirectory
from crossfade.telling.story import Story

Json = Mapping[str, Any]
POLL = 0.2  # seconds between two looks at a build
_NOWHERE = StateDirectory(Path("/nonexistent"))  # a host's controller has its state there, and none here


@dataclass(frozen=True, slots=True, kw_only=True)
class OnHost(Call):
    """A call to the controller of one host."""

    through: ControllerClient

    def client(self) -> ControllerClient:
        return self.through

    @property
    def carries(self) -> bool:
        """The host's own controller does."""
        return False

    def away(self) -> None:
        return None


class ControlledHost:
    """A host with its own controller. `goal` changes it to what the journey is about.

    `asks` are questions from outside, the first `own` of them to its own door; `passes` and `seconds` as in the file.
    """

    def __init__(
        self,
        reached: Reached,
        app: str,
        services: Sequence[str],
        screen: Screen,
        *,
        asks: Sequence[Ask] = (),
        own: int = 0,
        passes: int = 3,
        seconds: float = 10.0,
    ) -> None:
        self.name = reached.name
        self.results: list[Json] = []
        self.goal: Callable[[], None] = lambda: None
        self._api = reached.api
        self._app = app
        self._services = services  # in the order in which they go out
        self._screen = screen
        self._asks = asks
        self._own = own
        self._passes = passes
        self._seconds = seconds
        self._witness: Witness | None = None

    def require_rest(self) -> None:
        """RefusedError while its controller is busy with something else, which may take as long as it likes."""
        if self._moving():
            raise RefusedError(
                f"{self.name} is busy: a rollout or a build of {self._app} is under way there",
                f"wait for it, or end it there: ssh -t {self.name} crossfade abort --app {self._app}",
            )

    def runs(self) -> Releases:
        self._wait()
        found = {one["name"]: one["release"] for one in self._status()["services"]}
        return {name: found.get(name) for name in dict.fromkeys((*self._services, *found))}

    def bring(self) -> Releases:
        self._wait()
        self.goal()
        self._witness = Witness(self._api, self._app)
        return self.runs()

    def go_back(self, before: Releases) -> None:
        found = self._status()
        moving = [one["name"] for one in found["services"] if one["rollout"]]
        if moving or found["groups"] or found["building"]:
            self._abort()
        self._wait()
        self.change_to(before, force=True)

    def trouble(self) -> str:
        witness = self._witness or Witness(self._api, self._app)
        return found_wrong(self._asks, passes=self._passes, seconds=self._seconds) or witness.trouble()

    def own_trouble(self) -> str:
        """The same of its own door alone, whoever answers there: a host that answers need not stay out of service."""
        return found_wrong(self._asks[: self._own], passes=self._passes, seconds=self._seconds)

    def serves(self) -> bool:
        return not any(ask() for ask in self._asks[: self._own])

    def deploy(self, order: Json) -> None:
        """Bring new releases; nothing happens when exactly these run. PlatformError when they were taken back."""
        try:
            begun = self._api.post("/v1/deploy", **order)
        except UnchangedError as error:
            self._screen.say(error.cause)
            return
        if begun.keys() & {"group", "id"}:
            self._see(group(begun["group"]) if "group" in begun else rollout(begun), begun["seq"])

    def change_to(self, wanted: Releases, *, force: bool) -> None:
        """Let exactly these releases run; services that had none go. The last ones that went out change first."""
        now = self.runs()
        for name in reversed(list(now)):
            target = wanted.get(name)
            if target == now[name]:
                continue
            where = {"app": self._app, "service": name, "by": who(), "force": force}
            if target is None:
                self._api.post("/v1/down", **where)
                continue
            begun = self._api.post("/v1/rollback", **where, to=str(target))
            self._see(rollout(begun), begun["seq"])

    def _abort(self) -> None:
        try:
            self._api.post("/v1/order/abort", app=self._app, by=who(), reason="it goes back on all hosts")
        except CrossfadeError:
            if self._moving():  # else it ended just now
                raise

    def _see(self, followed: Followed, seq: int) -> None:
        """Show a rollout of the host to its end."""
        call = OnHost(state=_NOWHERE, json=False, environment=self.name, through=self._api.client)
        try:
            result = follow(call, followed, seq, _Told(self._screen, self.name))
        except (LostError, NotRunningError) as error:
            raise lost(self.name) from error
        made = result.get("group") or result["rollout"]
        self.results += result["results"] if "group" in result else [result]
        if made["state"] != "succeeded":
            raise PlatformError(f"{self.name}: {made['reason']}")

    def _status(self) -> Any:
        return self._api.get("/v1/status", app=self._app)

    def _moving(self) -> bool:
        found = self._status()
        return bool(found["groups"] or found["building"] or any(one["rollout"] for one in found["services"]))

    def _wait(self) -> None:
        """Until nothing is under way there: its controller sees to it, whoever ordered it."""
        while self._moving():
            found = self._status()
            if found["building"]:
                time.sleep(POLL)
            for one in found["groups"]:
                self._api.get(f"/v1/groups/{one['id']}", app=self._app, wait=1)
            for one in found["services"]:
                if one["rollout"]:
                    where = {"app": self._app, "service": one["name"], "wait": 1}
                    with suppress(WrongInputError):  # of a first deploy that went back nothing is left to tell
                        self._api.get(f"/v1/rollouts/{one['rollout']['id']}", **where)


class _Told:
    """A screen to which each line says which host it is of."""

    several = False

    def __init__(self, screen: Screen, host: str) -> None:
        self.tick = screen.tick
        self._screen = screen
        self._host = host
        self._stories = dict[str, Story]()
        self._asked = ""  # what a person is asked for, said once

    def say(self, line: str) -> None:
        self._screen.say(f"{self._host}: {line}")

    def event(self, event: Json) -> None:
        if isinstance(self._screen, Lines):
            self._screen.event({"host": self._host, **event})
            return
        for line in self._stories.setdefault(event["service"], Story()).tell(event):
            self.say(line)

    def state(self, service: Json) -> None:
        rollout = service["rollout"]
        asked = "; ".join(why for why in rollout["waiting_for"] if "crossfade promote" in why) if rollout else ""
        if asked and asked != self._asked:
            self.say(asked)
        elif rollout:
            self.now(standing(rollout))
        self._asked = asked

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        with self._screen.doing(f"{self._host}: {what}"):
            yield

    def now(self, line: str) -> None:
        self._screen.now(f"{self._host}: {line}")

    def close(self) -> None:
        """It is the screen's to close."""
