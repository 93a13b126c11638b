"""The instance metadata service, version 2 alone: who asks without a token is refused.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
"""

import asyncio
import ctypes
import secrets
import socket
import subprocess
import threading
from http import HTTPStatus

from tests.rig.ec2.guest.facts import Facts

METADATA = "169.254.169.254"
_TOKEN = "/latest/api/token"
_DATA = "/latest/meta-data/"


_NEW_NETWORK = 0x40000000  # CLONE_NEWNET of <linux/sched.h>


class Metadata:
    """Answers one instance."""

    def __init__(self, facts: Facts) -> None:
        self._facts, self._tokens = facts, set[str]()

    async def listen(self) -> None:
        await asyncio.start_server(self._serve, sock=_socket())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            verb, path, _ = (await reader.readline()).decode().split(" ", 2)
            heads = {}
            while line := (await reader.readline()).decode().strip():
                name, _, value = line.partition(":")
                heads[name.lower()] = value.strip()
            status, body = self._answer(verb, path, heads)
            head = (
                f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            )
            writer.write(head.encode() + body.encode())
            await writer.drain()
        except (OSError, ValueError):
            pass
        finally:
            writer.close()

    def _answer(self, verb: str, path: str, heads: dict[str, str]) -> tuple[HTTPStatus, str]:
        if (verb, path) == ("PUT", _TOKEN):
            if "x-aws-ec2-metadata-token-ttl-seconds" not in heads:
                return HTTPStatus.BAD_REQUEST, ""
            self._tokens.add(token := secrets.token_urlsafe(32))
            return HTTPStatus.OK, token
        if heads.get("x-aws-ec2-metadata-token") not in self._tokens:
            return HTTPStatus.UNAUTHORIZED, ""
        facts = self._facts
        known = {
            "instance-id": facts.id,
            "local-ipv4": facts.address,
            "placement/region": facts.region,
            "placement/availability-zone": facts.zone,
            **{f"tags/instance/{key}": value for key, value in facts.tags.items()},
        }
        found = known.get(path.removeprefix(_DATA))
        return (HTTPStatus.NOT_FOUND, "") if found is None else (HTTPStatus.OK, found)


def _socket() -> socket.socket:
    """Listens at port 80 of another network than the instance's, whose own port 80 is its own.

    A thread goes to a network of its own, and a cable leads there; the socket stays in it when the thread is over.
    """
    made: list[socket.socket] = []
    gone, laid = threading.Event(), threading.Event()
    where: list[int] = []

    def elsewhere() -> None:
        if ctypes.CDLL(None, use_errno=True).unshare(_NEW_NETWORK):
            raise OSError(ctypes.get_errno(), "unshare")
        where.append(threading.get_native_id())
        gone.set()
        laid.wait()
        _ip("link", "set", "far", "up")
        _ip("addr", "add", f"{METADATA}/16", "dev", "far")
        made.append(socket.create_server((METADATA, 80), backlog=128))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    gone.wait()
    _ip("link", "add", "near", "type", "veth", "peer", "name", "far", "netns", str(where[0]))
    _ip("addr", "add", "169.254.1.1/16", "dev", "near")
    _ip("link", "set", "near", "up")
    laid.set()
    thread.join()
    made[0].setblocking(False)
    return made[0]


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
