"""One visitor: logs in once, then goes on a journey again and again, at its own pace and not at the server's."""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable

from crossfade.core.journey import Journey, Step
from crossfade.load.connection import Connection
from crossfade.load.journeys.book import Sample
from crossfade.load.response import Response
from crossfade.load.tally import Lost
from crossfade.load.target import LoadTarget

PAUSE_AFTER_LOSS = 0.05
_VARIABLE = re.compile(r"\$\{(\w+)\}")


class LoginError(Exception):
    """A visitor was not let in; the text says by which step and why."""


class Visitor:
    """`told` gets each request that counts. `pause(seconds)` waits, and says whether to go on."""

    def __init__(
        self,
        target: LoadTarget,
        journey: Journey,
        number: int,
        *,
        clock: Callable[[], float],
        pause: Callable[[float], Awaitable[bool]],
        told: Callable[[Sample], None],
        instance: str,
        seed: int,
    ) -> None:
        self._target, self._journey = target, journey
        self._clock, self._pause, self._told, self._instance = clock, pause, told, instance.lower()
        self._chance = random.Random(seed)  # noqa: S311  no secret: the same seed thinks for as long
        self._known = {"user": str(number)}
        self._cookies: dict[str, str] = {}
        self._connection: Connection | None = None
        self._built: dict[Step, bytes] = {}  # requests that are always the same

    async def log_in(self) -> None:
        """Raises LoginError."""
        for step in self._journey.login:
            _, failure = await self._ask(step)
            if failure:
                raise LoginError(f"{step.name} {failure}")

    async def live(self) -> None:
        """Go on journeys until `pause` says no. A request is due at its pace, however long the one before it took."""
        try:
            await self.log_in()
            due = self._clock() + self._chance.random() * self._journey.steps[0].think[1]
            while True:
                for step in self._journey.steps:
                    free = self._clock()
                    if not await self._pause(due - free):
                        return
                    begun = self._clock()
                    response, failure = await self._ask(step)
                    self._told(self._sample(step, due, begun - max(due, free), response, failure))
                    least, most = step.think
                    if failure and not most:  # who is down would otherwise be asked 100,000 times a second
                        await self._pause(PAUSE_AFTER_LOSS)
                    due = due + self._chance.uniform(least, most) if most else self._clock()
        finally:
            self.close()

    async def rehearse(self) -> list[str]:
        """Each step once, without a pause: what is wrong with their answers."""
        try:
            await self.log_in()
            asked = [(step, await self._ask(step)) for step in self._journey.steps]
            return [f"{step.name} {failure}" for step, (_, failure) in asked if failure]
        finally:
            self.close()

    def close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def _sample(self, step: Step, due: float, late: float, response: Response | None, failure: str) -> Sample:
        return Sample(
            endpoint=step.name,
            due=due,
            ended=self._clock(),
            late=max(0.0, late),
            failure=failure,
            release=self._target.release(response) if response else None,
            instance=response.header(self._instance) if response else None,
        )

    async def _ask(self, step: Step) -> tuple[Response | None, str]:
        """The answer, if there was one, and what is wrong with it."""
        try:
            if self._connection is None or self._connection.ended():
                self.close()
                self._connection = await Connection.open(self._target.endpoint, self._target.timeout)
            response = await self._connection.exchange(self._request(step), self._target.timeout)
        except Lost as loss:
            self.close()
            return None, f"was lost ({loss.cause})"
        if not self._connection.reusable:
            self.close()
        return response, self._wrong(step, response)

    def _wrong(self, step: Step, response: Response) -> str:
        """What is not as the step wants it; what it saves is remembered otherwise."""
        least, most = step.status
        if not least <= response.status <= most:
            wanted = f"{least}" if least == most else f"{least}-{most}"
            return f"answered {response.status}, not {wanted}"
        for cookie in response.headers("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self._cookies[name.strip()] = value.strip()
        if not (step.contains or step.save):
            return ""
        body = response.body.decode(errors="replace")
        if step.contains and step.contains not in body:
            return f"answered {response.status} without {step.contains!r}"
        for name, pattern in step.save:
            found = re.search(pattern, body)
            if not found:
                return f"answered {response.status}, in which nothing is {name}"
            self._known[name] = found[1]
        return ""

    def _request(self, step: Step) -> bytes:
        if step in self._built and not self._cookies:
            return self._built[step]
        body = self._filled(step.body).encode()
        headers = {name: self._filled(value) for name, value in step.headers}
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        if body or step.method not in {"GET", "DELETE"}:
            headers["Content-Length"] = str(len(body))
        request = self._target.head(step.method, self._filled(step.path), headers) + body
        if not any("${" in text for text in (step.path, step.body, *dict(step.headers).values())):
            self._built[step] = request
        return request

    def _filled(self, text: str) -> str:
        return _VARIABLE.sub(lambda found: self._known.get(found[1], found[0]), text) if "${" in text else text


async def until(stopped: asyncio.Event, seconds: float) -> bool:
    """Wait so long; False as soon as it is over."""
    if seconds <= 0:
        return not stopped.is_set()
    try:
        async with asyncio.timeout(seconds):
            await stopped.wait()
    except TimeoutError:
        return True
    return False
