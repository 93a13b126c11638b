"""`python -m live --port 8000`"""

import argparse
import asyncio
import os
import socket

import uvicorn

from live.app import build


class Server(uvicorn.Server):
    """Tells the streams to end before it waits for them.

    uvicorn's own order is to close WebSockets at once, also in the middle of an echo, and to wait for event streams
    that nobody told to end. So the streams get the word first, and a moment for what they are about to say; nobody new
    is let in before that, or a reader who comes back at once would meet the same instance again.
    """

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self.stopping = stopping

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        self.stopping.set()
        await asyncio.sleep(0.1)
        await super().shutdown(sockets)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m live", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
    arguments = parser.parse_args()

    stopping = asyncio.Event()
    config = uvicorn.Config(
        build(stopping),
        host=arguments.host,
        port=arguments.port,
        lifespan="off",
        access_log=False,
        log_level="warning",
        timeout_keep_alive=75,  # longer than the balancer keeps an idle connection: it closes first, never we
    )
    Server(config, stopping).run()


if __name__ == "__main__":
    main()
