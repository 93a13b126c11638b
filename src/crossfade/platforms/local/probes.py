"""Health probes and synthetic visits over HTTP/1.1, on a new connection each."""

import asyncio
from collections.abc import Mapping

import aiohttp

from crossfade.core.health import accepts
from crossfade.core.service import HealthCheck

VISITS_AT_ONCE = 4


class HttpProbe:
    """One client session for all probes of the controller."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, address: str, check: HealthCheck) -> str:
        """The complaint about one GET of the check's path, empty when its code is accepted in time."""
        url = f"http://{address}{check.path}"
        try:
            async with self._open().get(
                url, timeout=aiohttp.ClientTimeout(total=check.timeout), allow_redirects=False
            ) as answer:
                if accepts(check, answer.status):
                    return ""
                return f"answered {answer.status} on {check.path}"
        except TimeoutError:
            return f"did not answer on {check.path} within {check.timeout:g} s"
        except aiohttp.ClientConnectorError:
            return f"does not listen on {address}"
        except (aiohttp.ClientError, OSError) as error:
            return f"broke off its answer on {check.path}: {error}"

    async def visit(self, url: str, headers: Mapping[str, str], count: int) -> None:
        """GET `url` so many times, a few at once; how they end is counted by the balancer, not here."""
        gate = asyncio.Semaphore(VISITS_AT_ONCE)

        async def once() -> None:
            async with gate:
                try:
                    async with self._open().get(
                        url, headers=headers, timeout=aiohttp.ClientTimeout(total=10)
                    ) as answer:
                        await answer.read()
                except (aiohttp.ClientError, TimeoutError):
                    return

        await asyncio.gather(*(once() for _ in range(count)))

    async def close(self) -> None:
        if self._session:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(force_close=True, limit=0)
            self._session = aiohttp.ClientSession(connector=connector, headers={"User-Agent": "crossfade-health"})
        return self._session
