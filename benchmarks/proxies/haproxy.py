"""HAProxy, both ways: a reload that passes its sockets on, and its runtime API."""

import asyncio
import os
import signal
import time

from benchmarks.children import BrokenError
from benchmarks.proxies.proxy import Peer, replace

SOCKET = "haproxy.sock"
MAP = "live.map"
CONFIG = """\
global
  stats socket {place}/{socket} mode 600 level admin expose-fd listeners
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
frontend web
  bind 127.0.0.1:{port}
  {route}
backend release-1
  server one 127.0.0.1:{one}
backend release-2
  server one 127.0.0.1:{two}
"""


class _Haproxy(Peer):
    program = "haproxy"

    def command(self) -> list[str]:
        return ["-W", "-f", str(self.place / "haproxy.cfg")]

    def write(self, route: str) -> None:
        text = CONFIG.format(
            place=self.place,
            socket=SOCKET,
            port=self.port,
            route=route,
            one=self.origins["1"],
            two=self.origins["2"],
        )
        replace(self.place / "haproxy.cfg", text)


class HaproxyReload(_Haproxy):
    name = "HAProxy, reload"
    how = "`default_backend` in the file, then SIGUSR2 to the master (`-W`), which passes its sockets to a new worker"

    def configure(self, release: str) -> None:
        self.write(f"default_backend release-{release}")

    async def switch(self, release: str) -> float:
        self.configure(release)
        now = time.monotonic()
        os.kill(self.pid, signal.SIGUSR2)
        return now


class HaproxyMap(_Haproxy):
    name = "HAProxy, runtime API"
    how = "`set map` on its socket, the map naming the backend; a restart of HAProxy forgets it"

    def configure(self, release: str) -> None:
        (self.place / MAP).write_text(f"live release-{release}\n")
        self.write(f"use_backend %[str(live),map({self.place / MAP})]")

    async def switch(self, release: str) -> float:
        reader, writer = await asyncio.open_unix_connection(str(self.place / SOCKET))
        now = time.monotonic()
        writer.write(f"set map {self.place / MAP} live release-{release}\n".encode())
        said = (await reader.read()).strip()
        writer.close()
        if said:
            raise BrokenError(f"HAProxy says: {said.decode(errors='replace')}")
        return now
