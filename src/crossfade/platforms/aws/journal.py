"""The journal of one environment on AWS, and the leases on its services: items of one DynamoDB table.

A line is in the table before anything is done about it.
"""

import asyncio
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from crossfade.engine.ports.clock import Clock
from crossfade.engine.ports.journal import Event, HeldError, Lease, Waiting, stale
from crossfade.platforms.aws.refusals import AwsError
from crossfade.platforms.aws.table import RANGE, REFUSED, Item, Table

DIGITS = 12
LAST = int("9" * DIGITS)


@dataclass(frozen=True, slots=True)
class _Held:
    """A lease as it stands in the table. `renewals` grows whenever its holder says that it lives."""

    lease: Lease
    renewals: int


class DynamoJournal:
    """`Journal` and `Fence` of one environment.

    A line is one transaction: the lease is checked, and the next number taken by a put that fails where it is taken
    already. The condition knows its own write again, so that a line whose answer was lost is not written twice.
    """

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table, self._clock = table, clock
        self._waiting = Waiting()
        self._last = 0  # no event that we know of is newer
        self._writing = asyncio.Lock()  # the loops of one process need not contend for numbers

    @property
    def called(self) -> str:
        return f"table {self._table.name}"

    async def append(self, event: Event, token: int) -> Event:
        data = json.dumps(event.data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        async with self._writing:
            while True:
                written = replace(event, seq=await self._newest() + 1, at=self._clock.now())
                if await self._write(written, data, token):
                    self._last = written.seq
                    return written
                self._last = 0

    async def read(
        self,
        *,
        after: int = 0,
        service: str | None = None,
        kinds: Collection[str] | None = None,
        limit: int | None = None,
        newest: bool = False,
    ) -> Sequence[Event]:
        if limit == 0 or (kinds is not None and not kinds):
            return []
        found: list[Event] = []
        first, last = _number(max(0, after) + 1), _number(LAST)
        only = _only(service, kinds)
        if limit is not None and not only:
            only["Limit"] = limit  # of a page; what is filtered out would count
        async for items in self._table.pages(first, last, ScanIndexForward=not newest, **only):
            found += map(_event, items)
            if limit is not None and len(found) >= limit:
                found = found[:limit]
                break
        return found[::-1] if newest else found

    async def acquire(self, service: str, holder: str, ttl: float) -> Lease:
        while True:
            now, held = self._clock.now(), await self._held(service)
            if held is None:
                lease = Lease(service=service, holder=holder, token=1, since=now, expires=now + ttl)
            elif held.lease.holder == holder:
                return replace(held.lease, vacant_since=held.lease.expires - ttl)
            else:
                lease = self._succeeds(held, holder, now, ttl)
            if await self._grant(lease, held):
                self._waiting.over(service)
                return lease

    async def renew(self, lease: Lease, ttl: float) -> Lease:
        """One call: it is made six times a minute. Done twice, it has grown the counter by two, which is as good."""
        renewed = replace(lease, expires=self._clock.now() + ttl)
        try:
            await self._table.ask(
                "update_item",
                Key=self._table.key(f"lease {lease.service}"),
                UpdateExpression="SET holder = :holder, expires = :expires, renewals = renewals + :one",
                ConditionExpression="#token = :token",
                ExpressionAttributeNames={"#token": "token"},
                ExpressionAttributeValues={
                    ":holder": {"S": lease.holder},
                    ":expires": {"N": repr(renewed.expires)},
                    ":one": {"N": "1"},
                    ":token": {"N": str(lease.token)},
                },
            )
        except AwsError as error:
            if error.code != REFUSED:
                raise
            held = await self._held(lease.service)
            raise stale(lease.service, lease.token, held.lease if held else None) from error
        return renewed

    async def release(self, lease: Lease) -> None:
        """Once nothing is on its way any more that we asked of AWS, and stopped waiting for: it would come after us."""
        await self._table.still()
        while (held := await self._held(lease.service)) and held.lease.holder and held.lease.token == lease.token:
            if await self._grant(replace(held.lease, holder="", expires=self._clock.now()), held):
                return

    async def token(self, service: str) -> int:
        held = await self._held(service)
        return held.lease.token if held else 0

    async def lease(self, service: str) -> Lease | None:
        held = await self._held(service)
        return held.lease if held and held.lease.holder else None

    async def check(self, service: str, token: int) -> None:
        """Be the `Fence` of the adapters: asked directly before each change, for AWS itself knows no token."""
        held = await self._held(service)
        if held and token < held.lease.token:
            raise stale(service, token, held.lease)

    async def close(self) -> None:
        """The clients belong to whoever made them."""

    def _succeeds(self, held: _Held, holder: str, now: float, ttl: float) -> Lease:
        """The lease after another's; HeldError while that one may live."""
        before, free = held.lease, not held.lease.holder
        seen = (before.token, held.renewals)
        if not free and not self._waiting.has_lapsed(before.service, seen, now, ttl):
            raise HeldError(before, ttl)
        vacant = before.expires if free else before.expires - ttl
        return Lease(
            service=before.service,
            holder=holder,
            token=before.token + 1,
            since=now,
            expires=vacant + ttl,
            vacant_since=vacant,
        )

    async def _grant(self, lease: Lease, held: _Held | None) -> bool:
        """Write it where it still stands as we saw it; what we wrote ourselves and got no answer for counts as well."""
        renewals = held.renewals + 1 if held else 1
        item = {
            "holder": {"S": lease.holder},
            "token": {"N": str(lease.token)},
            "since": {"N": repr(lease.since)},
            "expires": {"N": repr(lease.expires)},
            "renewals": {"N": str(renewals)},
            "own": {"S": uuid4().hex},
        }
        same = "attribute_not_exists(line)"
        values = {":own": item["own"]}
        names = {"#own": "own"}
        if held:
            same = "(#t = :t AND #r = :r)"
            values |= {":t": {"N": str(held.lease.token)}, ":r": {"N": str(held.renewals)}}
            names |= {"#t": "token", "#r": "renewals"}
        try:
            await self._table.ask(
                "put_item",
                Item={**self._table.key(f"lease {lease.service}"), **item, "service": {"S": lease.service}},
                ConditionExpression=f"{same} OR #own = :own",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
            )
        except AwsError as error:
            if error.code == REFUSED:
                return False
            raise
        return True

    async def _held(self, service: str) -> _Held | None:
        item = await self._table.item(f"lease {service}")
        if item is None:
            return None
        lease = Lease(
            service=service,
            holder=item["holder"]["S"],
            token=int(item["token"]["N"]),
            since=float(item["since"]["N"]),
            expires=float(item["expires"]["N"]),
        )
        return _Held(lease, int(item["renewals"]["N"]))

    async def _write(self, event: Event, data: str, token: int) -> bool:
        """False where its number was taken meanwhile. StaleTokenError; PlatformError also where nobody can say."""
        own = uuid4().hex
        items = self._line(event, data, token, own)
        try:
            await self._table.ask("transact_write_items", ClientRequestToken=own, TransactItems=items)
        except AwsError as error:
            found = await self._table.item(_number(event.seq))
            if found and found["own"]["S"] == own:
                return True
            if not _contended(error):
                raise
            held = await self._held(event.service)
            if token != (held.lease.token if held else 0):
                raise stale(event.service, token, held.lease if held else None) from error
            return False
        return True

    def _line(self, event: Event, data: str, token: int, own: str) -> list[dict[str, Any]]:
        """The transaction that writes an event where its number is free and its token the newest."""
        lease: dict[str, Any] = {"TableName": self._table.name, "Key": self._table.key(f"lease {event.service}")}
        if token:
            lease |= {
                "ConditionExpression": "#t = :t",
                "ExpressionAttributeNames": {"#t": "token"},
                "ExpressionAttributeValues": {":t": {"N": str(token)}},
            }
        else:
            lease["ConditionExpression"] = "attribute_not_exists(line)"
        item = {
            **self._table.key(_number(event.seq)),
            "at": {"N": repr(event.at)},
            "service": {"S": event.service},
            "rollout": {"N": str(event.rollout)},
            "kind": {"S": event.kind},
            "data": {"S": data},
            "own": {"S": own},
        }
        put = {
            "TableName": self._table.name,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(line) OR #own = :own",
            "ExpressionAttributeNames": {"#own": "own"},
            "ExpressionAttributeValues": {":own": {"S": own}},
        }
        return [{"ConditionCheck": lease}, {"Put": put}]

    async def _newest(self) -> int:
        """The number of the newest event that is there."""
        if not self._last:
            newest = await self.read(limit=1, newest=True)
            self._last = newest[0].seq if newest else 0
        return self._last


def _only(service: str | None, kinds: Collection[str] | None) -> dict[str, Any]:
    """What narrows a query to a service, or to kinds of events."""
    wanted, names, values = [], {}, {}
    if service is not None:
        wanted.append("#service = :service")
        names["#service"] = "service"
        values[":service"] = {"S": service}
    if kinds is not None:
        these = {f":k{index}": {"S": kind} for index, kind in enumerate(sorted(kinds))}
        wanted.append(f"#kind IN ({', '.join(these)})")
        names["#kind"] = "kind"
        values |= these
    if not wanted:
        return {}
    return {
        "FilterExpression": " AND ".join(wanted),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }


def _contended(error: AwsError) -> bool:
    """A condition of the transaction did not hold, or another transaction was at work on the same line."""
    if error.code != "TransactionCanceledException":
        return False
    response = getattr(error.__cause__, "response", {})
    reasons = {reason.get("Code") for reason in response.get("CancellationReasons", ())}
    return bool(reasons) and reasons <= {"None", "ConditionalCheckFailed", "TransactionConflict"}


def _number(seq: int) -> str:
    """A number as the table sorts it."""
    return f"event {min(seq, LAST):0{DIGITS}}"


def _event(item: Item) -> Event:
    return Event(
        kind=item["kind"]["S"],
        service=item["service"]["S"],
        rollout=int(item["rollout"]["N"]),
        data=json.loads(item["data"]["S"]),
        seq=int(item[RANGE]["S"].removeprefix("event ")),
        at=float(item["at"]["N"]),
    )
