"""The smallest HTTP server that can stand behind a proxy: says its release, 20,000 times a second, so that what is
measured is the proxy. Started as any app is: PORT and CROSSFADE_RELEASE in its environment.
"""

import asyncio
import os
import signal

RELEASE = os.environ.get("CROSSFADE_RELEASE", "0").encode()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nX-Release: %b\r\n\r\nok\n" % RELEASE
HOSTS = ("127.0.0.1", "127.0.0.2")  # so that one process can stand in for two instances
END = b"\r\n\r\n"


class Connection(asyncio.Protocol):
    """Answers every head of a request; requests with a body are not expected here."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        self._rest = data[data.rfind(END) + len(END) :] if END in data else data
        self._transport.write(ANSWER * data.count(END))  # type: ignore[attr-defined]  # a stream's transport


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, HOSTS, int(os.environ["PORT"]), backlog=1024)
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
