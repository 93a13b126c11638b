"""Locust's side of a swarm, a program by itself: LOCUSTFILE HOST RELEASE-HEADER INSTANCE-HEADER.

A number on standard input is how many users there are from now on; its end is the end. Each request is a line of JSON.
Locust patches Python's sockets for all of a process, so it has one of its own.
"""

import json
import os
import sys
from typing import Any

READY = b"ready"


def main() -> int:
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a locustfile prints is no result
    from gevent import monkey  # noqa: PLC0415  before anything that has sockets

    monkey.patch_all()
    import locust  # noqa: PLC0415
    from gevent.fileobject import FileObjectThread  # noqa: PLC0415
    from locust.env import Environment  # noqa: PLC0415
    from locust.util.load_locustfile import load_locustfile  # noqa: PLC0415

    path, host, release, instance = sys.argv[1:]
    users, _ = load_locustfile(path)
    if not users:
        sys.stderr.write(f"{path} has no class of users\n")
        return 2
    for user in users.values():
        user.host = host  # where the test goes, whatever the file says
    environment = Environment(user_classes=list(users.values()), events=locust.events, host=host)
    runner = environment.create_local_runner()

    def told(
        request_type: str, name: str, response_time: float, exception: Any, start_time: float, **more: Any
    ) -> None:
        response = more.get("response")
        headers = getattr(response, "headers", None) or {}
        line = {
            "name": f"{request_type} {name}",
            "began": start_time,
            "seconds": (response_time or 0.0) / 1000,
            "failure": f"failed: {exception}"[:200] if exception else "",
            "release": headers.get(release),
            "instance": headers.get(instance),
        }
        out.write(json.dumps(line) + "\n")

    add: Any = environment.events.request.add_listener
    add(told)
    out.write(READY.decode() + "\n")
    for line in FileObjectThread(sys.stdin.buffer, "rb"):
        wanted = int(line)
        runner.start(wanted, spawn_rate=max(1, wanted))
    runner.quit()
    runner.greenlet.join(timeout=20)
    out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
