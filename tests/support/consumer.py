"""A worker that takes jobs from Redis, one after the other, and counts each when it is done; SIGTERM lets it finish.

It speaks Redis's protocol itself: `python consumer.py SOCKET`. A job is a number; it takes ten milliseconds.
"""

import os
import signal
import socket
import sys
import time

SECONDS = 0.01


class Redis:
    """A connection on which one command after the other is asked."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._reader = self._socket.makefile("rb")

    def ask(self, *words: object) -> object:
        parts = [str(word).encode() for word in words]
        lines = [f"*{len(parts)}".encode()]
        for part in parts:
            lines += [f"${len(part)}".encode(), part]
        self._socket.sendall(b"\r\n".join(lines) + b"\r\n")
        return self._answer()

    def _answer(self) -> object:
        line = self._reader.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self._answer() for _ in range(int(rest))]
        if kind == b"$":
            return None if rest == b"-1" else self._reader.read(int(rest) + 2)[:-2].decode()
        if kind == b":":
            return int(rest)
        if kind == b"+":
            return rest.decode()
        raise RuntimeError(line)


def main(path: str) -> None:
    wanted = True

    def leave(*_: object) -> None:
        nonlocal wanted
        wanted = False

    signal.signal(signal.SIGTERM, leave)
    redis = Redis(path)
    while wanted:
        found = redis.ask("BLPOP", "jobs", "0.1")
        if found is None:
            continue
        time.sleep(SECONDS)  # a job is half done here when SIGTERM comes
        redis.ask("HINCRBY", "done", found[1], 1)  # type: ignore[index]
        redis.ask("HINCRBY", "by release", os.environ["CROSSFADE_RELEASE"], 1)


if __name__ == "__main__":
    main(sys.argv[1])
