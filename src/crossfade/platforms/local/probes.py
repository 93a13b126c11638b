"""Health probes and synthetic visits over HTTP/1.1, on a new connection each."""

import asyncio
import errno
import ipaddress
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import ResolveResult

from crossfade.core.errors import PlatformError
from crossfade.core.health import accepts
from crossfade.core.service import GRPC_HEALTH, HealthCheck
from crossfade.platforms.local import h2c
from crossfade.platforms.local.address import host_of, socket_of

VISITS_AT_ONCE = 4
LEAST_PATIENCE = 10.0  # seconds for the answer to one
EXPLAIN_SECONDS = 1.0
LOOKED_AT = 1 << 16  # bytes of an answer that are searched for what it should contain
LONGEST = 16 << 20  # bytes of an answer; one without an end would keep us busy for the whole timeout, again and again
_CALL = {"Content-Type": "application/grpc", "TE": "trailers"}
_NO_MESSAGE = bytes(5)  # uncompressed, and 0 bytes long
_OURS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EADDRNOTAVAIL, errno.ENETDOWN})
_OURS |= {errno.ENETUNREACH, errno.EHOSTUNREACH}  # errors of connecting to our own machine that are this machine's
LONGEST_HEADER = 60 << 10  # bytes, as many as Envoy lets through to clients


class HttpProbe:
    """One client session for all probes of the controller.

    `silent` tells of an address where nobody answers what its instance listens on instead, empty when nothing is known.
    `reached_at` says of names in URLs where they are asked, whatever the public DNS says: visits are for our own
    balancer.
    """

    def __init__(
        self, silent: Callable[[str], Awaitable[str]] | None = None, *, reached_at: Mapping[str, str] | None = None
    ) -> None:
        self._silent, self._reached_at = silent, reached_at or {}
        self._refused: dict[str, tuple[float, str]] = {}  # by address: when it was asked about last, and what was said
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, address: str, check: HealthCheck) -> str:
        """The complaint about one check of an instance, empty when it passes in time.

        PlatformError where it could not be asked.
        """
        return await (self._greet(address, check) if check.h2c else self._get(address, check))

    async def _get(self, address: str, check: HealthCheck) -> str:
        host, begun = host_of(address), False
        try:
            async with (
                self._reaching(address) as session,
                session.get(
                    f"http://{host}{check.path}",
                    headers=_headers(check),
                    timeout=aiohttp.ClientTimeout(total=check.timeout),
                    allow_redirects=False,
                    auto_decompress=bool(check.body),  # what nobody looks into may be packed in any way
                    max_field_size=LONGEST_HEADER,
                    max_line_size=LONGEST_HEADER,
                ) as answer,
            ):
                begun = True
                self._refused.pop(address, None)
                if not accepts(check, answer.status):
                    return f"answered {answer.status} on {check.path} with Host {check.host or host}{_leads(answer)}"
                return await _complaint_about_body(answer, check)
        except TimeoutError:
            did_not = "answered, but did not come to the end of it" if begun else "did not answer"
            return f"{did_not} on {check.path} within {check.timeout:g} s"
        except aiohttp.ClientConnectorError as error:
            _require_asked(address, error.os_error)
            return await self._explain(address)
        except aiohttp.ClientResponseError as error:  # with a status of aiohttp's own, which the app never gave
            return f"does not answer in HTTP/1.1 on {check.path}: {' '.join(error.message.split())[:200]}"
        except (aiohttp.ClientError, OSError) as error:
            return f"broke off its answer on {check.path}: {error}"

    async def _greet(self, address: str, check: HealthCheck) -> str:
        try:
            async with asyncio.timeout(check.timeout):
                speaks = await h2c.speaks(address)
        except TimeoutError:
            return f"did not answer a connection of HTTP/2 within {check.timeout:g} s"
        except (ConnectionRefusedError, FileNotFoundError):
            return await self._explain(address)
        except OSError as error:
            _require_asked(address, error)
            return f"broke off a connection of HTTP/2: {error}"
        self._refused.pop(address, None)
        return "" if speaks else "does not speak HTTP/2 without TLS, which `protocol: h2c` says"

    async def _explain(self, address: str) -> str:
        """Nobody listens. One that is starting is given a second, and then the kernel is asked once a second."""
        now = asyncio.get_running_loop().time()
        asked, why = self._refused.setdefault(address, (now, ""))
        if now - asked >= EXPLAIN_SECONDS:
            why = await self._silent(address) if self._silent else ""
            self._refused[address] = (now, why)
        return why or f"nothing listens on {_asked(address)}"

    async def visit(self, url: str, headers: Mapping[str, str], count: int, patience: float) -> None:
        """GET `url`, or call what is gRPC's, so many times, a few at once; how they end is counted by the balancer.

        `patience` is how long an answer may take. Whoever answers one at a time gets as much for each of those few.
        PlatformError when not one of them got to it: then there is nothing to count. Our own balancer is asked by its
        address, which the certificate of a host's name does not have.
        """
        gate, verified = asyncio.Semaphore(VISITS_AT_ONCE), not _is_by_address(url)
        called, limit = urlsplit(url).path == GRPC_HEALTH, max(LEAST_PATIENCE, VISITS_AT_ONCE * patience)
        method, body, headers = ("POST", _NO_MESSAGE, {**headers, **_CALL}) if called else ("GET", None, headers)

        async def once() -> str:
            async with gate:
                try:
                    async with self._open().request(
                        method,
                        url,
                        data=body,
                        headers=headers,
                        timeout=aiohttp.ClientTimeout(total=limit),
                        ssl=verified,
                    ) as answer:
                        await answer.read()
                except TimeoutError:
                    return f"no answer within {limit:g} s"
                except (aiohttp.ClientError, OSError) as error:
                    return str(error) or repr(error)
            return ""

        complaints = await asyncio.gather(*(once() for _ in range(count)))
        if complaints and all(complaints):
            raise PlatformError(
                f"none of our own {count} requests to {url} was answered: {complaints[0]}",
                "see that this machine reaches the load balancer; `crossfade promote` goes on without a verdict",
            )

    async def close(self) -> None:
        if self._session:
            await self._session.close()

    @asynccontextmanager
    async def _reaching(self, address: str) -> AsyncIterator[aiohttp.ClientSession]:
        """A socket has a session of its own, for its connector knows no other."""
        if path := socket_of(address):
            async with _session(aiohttp.UnixConnector(path, force_close=True)) as session:
                yield session
        else:
            yield self._open()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = _session(
                aiohttp.TCPConnector(force_close=True, limit=0, resolver=_ReachedAt(self._reached_at))
            )
        return self._session


class _ReachedAt(aiohttp.ThreadedResolver):
    """Another address for some names: Host and certificate stay those of the name."""

    def __init__(self, reached_at: Mapping[str, str]) -> None:
        super().__init__()
        self._reached_at = reached_at

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return await super().resolve(self._reached_at.get(host, host), port, family)


def _session(connector: aiohttp.BaseConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=connector, headers={"User-Agent": "crossfade-health"})


def _require_asked(address: str, error: OSError) -> None:
    """PlatformError where we could not ask: of who was to be asked it says nothing."""
    if error.errno in _OURS:
        raise PlatformError(
            f"{address} could not be asked from here: {error.strerror}",
            "see `ulimit -Hn`, net.ipv4.ip_local_port_range and `ip link show lo`",
        ) from error


def _asked(address: str) -> str:
    path = socket_of(address)
    return f"the socket $CROSSFADE_SOCKET, {path}" if path else f"$PORT, {address}"


def _is_by_address(url: str) -> bool:
    try:
        ipaddress.ip_address(urlsplit(url).hostname or "")
    except ValueError:
        return False
    return True


def _leads(answer: aiohttp.ClientResponse) -> str:
    """Where a redirect leads, and what to do when it is a good answer."""
    to = answer.headers.get("Location", "")[:200]
    return f", a redirect to {to}: ask for that, or allow it with health.codes" if to else ""


def _headers(check: HealthCheck) -> dict[str, str]:
    return dict(check.headers) | ({"Host": check.host} if check.host else {})


async def _complaint_about_body(answer: aiohttp.ClientResponse, check: HealthCheck) -> str:
    """Empty when it came to its end, which balancers wait for, too, and has what it should."""
    seen, length = b"", 0
    async for chunk in answer.content.iter_any():
        length += len(chunk)
        if len(seen) < LOOKED_AT:
            seen = (seen + chunk)[:LOOKED_AT]
        if length > LONGEST:
            return f"answered more than {LONGEST >> 20} MiB on {check.path}: ask for something shorter"
    if check.body.encode() not in seen:
        return f'answered {answer.status} on {check.path} without "{check.body}"'
    return ""
