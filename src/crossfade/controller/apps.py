"""A deploy as an app's file has it: who is told, what is kept and what serves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crossfade.controller.deploys.deploys import Begun
from crossfade.controller.notify.notify import Notifier
from crossfade.controller.order import Order, Shell
from crossfade.controller.orders import Orders
from crossfade.core.errors import UnchangedError
from crossfade.core.service import Service
from crossfade.core.store import Store
from crossfade.engine.ports.stores import StoreOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedApp:
    """An app as its file has it. `channels` are those of `notify`, each with the address that the shell has for it."""

    services: Sequence[Service]
    stores: Sequence[Store] = ()
    replace_stores: bool = False
    channels: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """What came of a deploy: what `begun` is under way, and what became of each store."""

    begun: Begun
    stores: Mapping[str, StoreOutcome] = field(default_factory=dict)


class Apps:
    """Apps with all that their files have. Where nobody stays, nobody is told: `notify` is None."""

    def __init__(self, orders: Orders, notify: Notifier | None) -> None:
        self._orders = orders
        self._notify = notify

    async def deploy(self, wanted: WantedApp, order: Order, shell: Shell, since: int) -> Shipped:
        """Stores are ready before services change, and untouched where no rollout may begin. Channels are told of what
        is on record after line `since`.

        WrongInputError names every value that nobody gave, of services, stores and channels at once: then nothing
        begins. UnchangedError when nothing is to be done for the services and no store was made.
        """
        app, notify = wanted.services[0].app, self._notify
        self._orders.may_deploy(wanted.services, order)
        lacking = notify.lacking(app, wanted.channels) if notify else []
        replace = wanted.replace_stores
        await self._orders.require_values(wanted.services, shell, wanted.stores, replace=replace, channels=lacking)
        channels = notify.prepared(app, wanted.channels) if notify else []
        stores = await self._orders.stores.ensure(wanted.stores, shell.secrets_of, order.by, replace=replace)
        same: UnchangedError | None = None
        begun = Begun()
        try:
            begun = await self._orders.deploy(wanted.services, order, shell, wanted.stores)
        except UnchangedError as error:
            same, begun = error, Begun(unchanged=(error.cause,))
        if notify:
            notify.set(app, channels, since)
        if same and not set(stores.values()) - {StoreOutcome.RUNS}:
            raise same
        return Shipped(begun=begun, stores=stores)
