"""Blue-green switches under constant traffic: what is lost, and how long until nobody sees the old release."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from statistics import median
from typing import Any

from benchmarks.children import BrokenError, listening, origin, workplace
from benchmarks.clients import Clients
from benchmarks.proxies import ALL, Controller, CrossfadeEnvoy, CrossfadeHaproxy, Proxy
from benchmarks.proxies.proxy import RELEASES
from benchmarks.result import Figure, Result, Table, number
from benchmarks.scale import Scale
from crossfade.load import LoadReport

NOUN = "switches"
CLIENTS = 64
_MOST_MS: dict[type[Proxy], float] = {CrossfadeEnvoy: 5, CrossfadeHaproxy: 2}
HOW = f"""\
{CLIENTS} keep-alive clients ask as fast as they are answered, through each proxy in turn, while it goes to and fro
between the same two releases. A request is lost when it gets no complete answer, or one of 500 or above. The time of a
switch begins right before the proxy is given its new routing. It ends, as *sent*, with the last request sent that the
old release answered: 0 says that none sent after that moment met it. As *answered*, it ends with the last answer of the
old release, also to what had been sent before. The controller's begins with the order and includes the whole rollout.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one proxy did. Times in milliseconds, one of each for every switch."""

    proxy: type[Proxy]
    report: LoadReport
    sent: Sequence[float]
    answered: Sequence[float]

    @property
    def lost(self) -> int:
        return self.report.failed

    def cells(self) -> tuple[str, ...]:
        causes = ", ".join(f"{count:,} {cause}" for cause, count in self.report.causes.items())
        return (
            self.proxy.name,
            f"{self.report.requests:,}",
            f"{self.lost:,}" + (f" ({causes})" if causes else ""),
            f"{self.report.requests / self.report.seconds:,.0f}",
            number(median(self.sent)),
            number(p99(self.sent)),
            number(median(self.answered)),
            number(p99(self.answered)),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "proxy": self.proxy.name,
            "version": self.proxy.version(),
            "how": self.proxy.how,
            "requests": self.report.requests,
            "lost": self.lost,
            "causes": dict(self.report.causes),
            "per_second": round(self.report.requests / self.report.seconds, 1),
            "p50_ms": self.report.latency.percentile_ms(50),
            "p99_ms": self.report.latency.percentile_ms(99),
            "sent_ms": [round(ms, 3) for ms in self.sent],
            "answered_ms": [round(ms, 3) for ms in self.answered],
            "losses": [f"{loss.cause}: {loss.detail}" for loss in self.report.losses[:5]],
        }


async def measure(scale: Scale) -> Result:
    rows: list[Row] = []
    broken: dict[str, str] = {}
    for proxy in scale.announced(NOUN, [proxy for proxy in ALL if proxy.version()]):
        try:
            rows.append(await _row(proxy, scale.switches, scale.requests))
        except BrokenError as error:
            broken[proxy.name] = str(error)
    mine = [row for row in rows if row.proxy in {*_MOST_MS, Controller}]
    return Result(
        noun=NOUN,
        title=f"{scale.switches} blue-green switches under {scale.requests:,} requests",
        how=HOW,
        figures=(
            *(Figure(name=f"requests lost, {row.proxy.name}", value=row.lost, most=0) for row in mine),
            *(
                Figure(
                    name=f"switch, {row.proxy.name}, median",
                    value=median(row.sent),
                    unit="ms",
                    most=_MOST_MS[row.proxy],
                )
                for row in mine
                if row.proxy in _MOST_MS
            ),
        ),
        tables=(
            Table(
                head=(
                    "proxy",
                    "requests",
                    "lost",
                    "requests/s",
                    "sent, median ms",
                    "p99",
                    "answered, median ms",
                    "p99",
                ),
                rows=[row.cells() for row in rows],
            ),
            Table(
                head=("proxy", "version", "a switch is"),
                rows=[(row.proxy.name, row.proxy.version(), row.proxy.how) for row in rows],
            ),
        ),
        notes=[f"{proxy.name}: not installed, not measured" for proxy in ALL if not proxy.version()],
        broken=broken,
        data={"rows": [row.to_json() for row in rows]},
    )


async def _row(proxy: type[Proxy], switches: int, requests: int) -> Row:
    """Spread so many switches evenly over so many requests."""
    with workplace() as place, origin("1", place) as one, origin("2", place) as two:
        for port in (one, two):
            await listening(port, place)
        made = proxy(place, {"1": one, "2": two})
        async with made.running(), Clients(made.port, CLIENTS) as clients:
            return await _switch(made, clients, switches, requests)


async def _switch(proxy: Proxy, clients: Clients, switches: int, requests: int) -> Row:
    # A proxy that has just begun is not yet what it is: HAProxy's master still misses signals, Go's heap is small.
    await clients.lap(requests // switches, old="", new=RELEASES[0])
    laps: list[LoadReport] = []
    sent, answered = [], []
    for turn in range(switches):
        old, new = RELEASES[turn % 2], RELEASES[(turn + 1) % 2]
        given = await proxy.switch(new)
        # What earlier laps made too much (they end when the old release is out) is not made again.
        left = requests - sum(lap.requests for lap in laps)
        lap = await clients.lap(left // (switches - turn), old, new)
        laps.append(lap)
        seen = lap.releases.get(old)
        sent.append(max(0.0, (seen.last_sent - given) * 1000) if seen else 0.0)
        answered.append(max(0.0, (seen.last_seen - given) * 1000) if seen else 0.0)
    return Row(proxy=type(proxy), report=reduce(add, laps), sent=sent, answered=answered)


def p99(values: Sequence[float]) -> float:
    """The value that 99 of 100 stay within; of fewer than 100 it is the largest."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, -(-99 * len(ordered) // 100) - 1)]
