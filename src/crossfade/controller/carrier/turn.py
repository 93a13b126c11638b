"""A process's turn: what it holds before it does an order, and the letters to whoever holds it instead."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import uuid4

from crossfade.controller import admission
from crossfade.controller.orders import Orders
from crossfade.core.errors import RefusedError, WrongInputError
from crossfade.engine.ports.journal import HeldError, Lease
from crossfade.engine.ports.letters import Letter, Letters

ASK_AGAIN = 1.0  # seconds between two looks at a lease that is waited for, or at a letter
ABORT, DOWN = "/v1/order/abort", "/v1/down"

Json = Mapping[str, Any]


class Turn:
    """The turn of this process: the care of services, taken over from nobody or from one who died.

    From one who lives it is taken only at its word.
    """

    def __init__(self, home: str, letters: Letters, orders: Orders, caught_up: Callable[[], Awaitable[None]]) -> None:
        """`caught_up` returns once all that others wrote so far is known."""
        self.home = home
        self._letters, self._orders, self._caught_up = letters, orders, caught_up
        self._registry, self._clock = orders.registry, orders.registry.world.clock

    async def meant(self, path: str, body: Json) -> list[str]:
        """The services that an order is for."""
        single = [body["service"]] if isinstance(body.get("service"), dict) else None
        services = body.get("services", single)
        if services is not None:
            return [self._own(one) for one in services]
        app, service = body["app"], body.get("service") or None
        if path == DOWN:
            there = [*(loop.key for loop in self._registry.of(app)), *await self._orders.leftovers.cut_off(app)]
            these = [key for key in there if service in {None, key.partition("/")[2]}]
            return these or [self._registry.find(app, service).key]
        if service is None and (group := self._orders.groups.active(app)):
            return [member.service for member in group.members]
        return [self._registry.find(app, service).key]

    async def take(self, key: str, *, supersede: bool = False, by: str = "") -> None:
        """Hold a service. RefusedError that says who does, once it is seen that this one lives.

        With `supersede` the holder is asked to take its rollout back, and the service held as soon as it is free.
        """
        first: Lease | None = None
        while True:
            try:
                await self._registry.hold(key)
            except HeldError as error:
                first = first or error.held
                if supersede and first is error.held:
                    await self._send(error.held, ABORT, _abort(key, f"superseded by {by}", by))
                lives = (error.held.token, error.held.expires) != (first.token, first.expires)
                if lives and not supersede:
                    raise self._busy(error) from error
                await self._clock.sleep(ASK_AGAIN)
            else:
                await self._caught_up()
                return

    async def others(self, key: str) -> Lease | None:
        """The lease of another, who may live or not; None once we hold the service, because nobody did."""
        try:
            await self._registry.hold(key)
        except HeldError as error:
            return error.held
        return None

    async def by_letter(self, key: str, path: str, body: Json) -> Json | None:
        """What the holder of a service answers; None once we hold it ourselves: nobody did, or who did is gone."""
        letter: Letter | None = None
        while True:
            try:
                await self._registry.hold(key)
            except HeldError as error:
                if letter and letter.token != error.held.token and await self._letters.take_back(letter):
                    letter = None  # it was for one who has lost the lease since
                letter = letter or await self._send(error.held, path, body)
                holder = error.held.holder
            else:
                if letter:
                    await self._letters.take_back(letter)
                await self._caught_up()
                return None
            answer = await self._letters.answered(letter)
            if answer is not None:
                return {**answer, "carried_by": holder}
            await self._clock.sleep(ASK_AGAIN)

    async def together(self) -> None:
        """A release group is carried as one: all of its services, once one of them is held."""
        group = self._orders.groups.active(self.home)
        if group is None or not any(self._registry.holds(member.service) for member in group.members):
            return
        for member in group.members:
            await self.take(member.service)
        self._orders.groups.go_on(group.app)

    def _own(self, service: Any) -> str:
        home, name = f"{service['app']}@{service['environment']}", service["name"]
        if home != self.home:
            raise WrongInputError(f"{home}/{name} does not belong to {self.home}")
        return f"{home}/{name}"

    async def _send(self, held: Lease, path: str, body: Json) -> Letter:
        letter = Letter(id=uuid4().hex, service=held.service, token=held.token, path=path, body=body)
        await self._letters.send(letter)
        return letter

    def _busy(self, error: HeldError) -> RefusedError:
        ledger, environment = self._registry.ledger(error.held.service), self.home.partition("@")[2]
        if ledger.active is None:
            return error
        return RefusedError(
            f"{admission.busy(ledger)}; {error.held.holder} carries it",
            f"wait for it, `crossfade abort -e {environment}`, or use --supersede to take it back first",
        )


def _abort(key: str, reason: str, by: str) -> Json:
    app, _, service = key.partition("/")
    return {"app": app, "service": service, "by": by, "reason": reason}
