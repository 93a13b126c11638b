"""The first process of an instance, in namespaces of its own: its disks, its network, its user data, and its end.

What the rig asks and hears is JSON, a line each, on standard input and output. When it goes, the kernel ends all that
the instance runs.
"""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.rig.ec2.guest import door
from tests.rig.ec2.guest.commands import Commands, install
from tests.rig.ec2.guest.facts import Facts
from tests.rig.ec2.guest.metadata import Metadata

_FRESH = ("/run", "/srv", "/home", "/mnt")  # empty on a new machine
_OWN = (
    "/etc",
    "/opt",
    "/root",
    "/tmp",
    "/usr/local",
    "/var",
)  # as on this machine at first, and then the instance's own
_DISK = Path("/mnt/rig")
_GRACE = 5.0  # seconds for who is told to end with the instance


def say(**told: Any) -> None:
    """To the rig."""
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def own_disks() -> None:
    """What the instance writes is its own, and goes with it."""
    steps = [["mount", "--make-rprivate", "/"]]
    steps += [["mount", "-t", "tmpfs", "tmpfs", folder] for folder in _FRESH if Path(folder).is_dir()]
    for step in steps:
        subprocess.run(step, check=True)
    for at, folder in enumerate(_OWN):
        upper, work = _DISK / str(at) / "upper", _DISK / str(at) / "work"
        upper.mkdir(parents=True)
        work.mkdir()
        how = f"lowerdir={folder},upperdir={upper},workdir={work}"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", how, folder], check=True)
    Path("/root").chmod(0o711)  # where this machine may have its Python, for all of the instance's users


def own_network(address: str) -> None:
    for step in (["link", "set", "lo", "up"], ["addr", "add", f"{address}/32", "dev", "lo"]):
        subprocess.run(["ip", *step], check=True)


def written(user_data: str) -> str:
    """Where it is now, as a program."""
    script = Path("/var/lib/cloud/user-data")
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(user_data)
    script.chmod(0o700)
    return str(script)


async def boot(facts: Facts, commands: Commands) -> None:
    """Run the user data, once, as root and to its end."""
    if not facts.user_data.startswith("#!"):
        say(booted=0)
        return
    process = await asyncio.create_subprocess_exec(
        written(facts.user_data),
        env=facts.environment(commands.path),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout is not None
    async for line in process.stdout:
        say(console=line.decode(errors="replace").rstrip("\n"))
    say(booted=await process.wait())


async def main(said: dict[str, Any], folder: int, fds: int) -> None:
    facts = Facts(**said)
    out = f"/proc/self/fd/{folder}/out.sock"
    path = install(_DISK / "bin")
    commands = Commands(facts, out, path, say)
    await commands.listen()
    await Metadata(facts).listen()
    await door.outward(facts.endpoint_port, out)
    inward = socket.socket(fileno=fds)
    taking = asyncio.create_task(door.inward(inward, facts.address, say))
    booting = asyncio.create_task(boot(facts, commands))
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        asked = json.loads(line)
        if asked.get("do") == "end":
            break
        if asked.get("do") == "run":
            asyncio.create_task(commands.carry(asked))  # noqa: RUF006  it says itself how it ended
        if asked.get("do") == "deploy":
            asyncio.create_task(commands.deploy(asked))  # noqa: RUF006  as above
    booting.cancel()
    await commands.end(_GRACE)
    taking.cancel()


if __name__ == "__main__":
    first = json.loads(sys.stdin.buffer.raw.readline())
    folder_, fds_ = os.open(sys.argv[1], os.O_RDONLY), int(sys.argv[2])
    own_disks()
    own_network(first["address"])
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(first, folder_, fds_))
