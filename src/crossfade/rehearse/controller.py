"""The controller of a rehearsal, asked without standing still: each question is a thread's."""

import asyncio
import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

from crossfade.cli.client import ControllerClient
from crossfade.cli.machine import controller
from crossfade.core.errors import CrossfadeError
from crossfade.paths import StateDirectory
from crossfade.telling.story import Story

Json = Mapping[str, Any]
LONGEST = 900.0  # seconds for one rollout, its build included


class Controller:
    """`said` hears what the journal says, a line each."""

    def __init__(self, state: StateDirectory, said: Callable[[str], None]) -> None:
        self.notes: dict[str, None] = {}  # what was said of releases as they were made
        self._state, self._said = state, said
        self._client = ControllerClient(state.socket, patience=LONGEST)

    async def start(self, app: str) -> None:
        await asyncio.to_thread(controller.ensure, self._state)
        threading.Thread(target=self._listen, args=(app,), daemon=True).start()

    async def deploy(self, **order: Any) -> Json:
        """Bring a release and wait for its end: the record of its rollout or of its group."""
        return await asyncio.to_thread(self._deploy, order)

    def _deploy(self, order: Mapping[str, Any]) -> Json:
        shell = {name: value for name, value in os.environ.items() if not name.startswith("CROSSFADE_")}
        begun = self._client.post(
            "/v1/deploy", path=os.environ.get("PATH", os.defpath), environment=shell, force=True, **order
        )
        if "group" in begun:
            made = begun["group"]
            ended: Json = self._client.get(f"/v1/groups/{made['id']}", app=made["app"], wait=1)
            return ended
        app, _, service = begun["service"].partition("/")
        result: Json = self._client.get(f"/v1/rollouts/{begun['id']}", app=app, service=service, wait=1)
        return result

    def _listen(self, app: str) -> None:
        """Tell what happens, until the controller is gone."""
        stories: dict[str, Story] = {}
        try:
            for event in self._client.lines("/v1/events", whole=app, follow=1):
                self.notes |= dict.fromkeys(event["data"].get("notes") or ())
                for line in stories.setdefault(event["service"], Story()).tell(event):
                    self._said(line)
        except CrossfadeError:
            return
