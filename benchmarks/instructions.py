"""What our configurations have the processor do for a request, beside the smallest ones: counted, not timed."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.bare import answering, haproxy, passing
from benchmarks.children import BrokenError, child, free_port, listening, room, workplace
from benchmarks.proxies import CrossfadeEnvoy, CrossfadeHaproxy
from benchmarks.proxies.crossfade import envoy_binary, telling
from benchmarks.proxies.proxy import found
from benchmarks.result import Figure, Result, Table, number
from benchmarks.scale import Scale
from crossfade.platforms.local.balancers.haproxy import HaproxyBalancer
from crossfade.platforms.local.balancers.haproxy.settings import ENVIRONMENT

NOUN = "instructions"
CONNECTIONS = 32
LEAST = "HAProxy that asks again and says who asks"
WARM = 10  # requests of each connection that are not counted: the first ones build what is then kept
COUNTED = "totals.out"
CONFIG = "haproxy.cfg"
TUNABLES = "GLIBC_TUNABLES"
# One instruction that copies a whole buffer would be counted as one for each byte: 33,000 of HAProxy's for two buffers.
COPIES = f"glibc.cpu.x86_rep_movsb_threshold={2**20}"
HOW = f"""\
Envoy and HAProxy with one worker under callgrind, which counts each instruction it executes, in our configuration and
in the bare one of the throughput benchmark; HAProxy also in the smallest one that can ask again what is safe to repeat
and tells an app its client. {CONNECTIONS} keep-alive connections ask in turn. Unlike requests a second it repeats on a
busy machine; what it leaves out is how long the processor waits for memory, and the kernel's part.
"""


class Asked(CrossfadeHaproxy):
    """As it is under a high load, however slow it is here."""

    adapter = partial(HaproxyBalancer, often=0)


async def measure(scale: Scale) -> Result:
    title = "Instructions a request beside a bare Envoy and a bare HAProxy"
    if shutil.which("valgrind") is None:
        return Result(noun=NOUN, title=title, how=HOW, notes=["not counted: valgrind is not installed"])
    direct, bare = free_port(), free_port()
    with workplace() as place:
        ours = CrossfadeEnvoy(room(place, "ours"), {"1": direct})
        with child(answering(direct, 1), room(place, "direct")):
            await listening(direct, place / "direct")
            async with ours.running():
                pass  # what it leaves in its directory is needed
            plain = [envoy_binary(), "-c", "envoy.json", "--concurrency", "1", "--disable-hot-restart"]
            async with telling(ours.directory):
                counted = await count([*plain, "--service-node", "counted"], ours.directory, ours.port, scale.counted)
            taken = {
                "crossfade, Envoy": counted,
                "bare Envoy": await count(passing(bare, direct, 1), room(place, "bare"), bare, scale.counted),
                **(await _haproxy(place, direct, scale.counted) if CrossfadeHaproxy.version() else {}),
            }
    ratio = taken["bare Envoy"] / taken["crossfade, Envoy"]
    return Result(
        noun=NOUN,
        title=title,
        how=HOW,
        figures=(Figure(name="bare Envoy's, of ours", value=ratio, least=0.95),),
        tables=(
            Table(head=("configuration", "instructions a request"), rows=[(n, number(v)) for n, v in taken.items()]),
        ),
        notes=[f"{scale.counted:,} requests of each"],
        data={"instructions": taken, "share": ratio},
    )


async def written(ours: Asked) -> list[str]:
    """The lines of our configuration for HAProxy, with all they name beside it in its directory."""
    async with ours.running():
        pass  # what it leaves in its directory is needed
    lines = (ours.directory / CONFIG).read_text().splitlines(keepends=True)
    # Nobody may write what is counted.
    return [line for line in lines[1:] if not line.startswith(("  user ", "  group "))]


def alone(lines: Sequence[str]) -> str:
    """The configuration of these lines with one worker."""
    return "".join(["global\n", "  nbthread 1\n", *lines])


async def _haproxy(place: Path, direct: int, requests: int) -> dict[str, float]:
    ours, bare, least = Asked(room(place, "haproxy"), {"1": direct}), free_port(), free_port()
    (ours.directory / CONFIG).write_text(alone(await written(ours)))
    (room(place, "bare HAProxy") / CONFIG).write_text(haproxy(bare, direct, 1)[-1])
    (room(place, "least HAProxy") / CONFIG).write_text(haproxy(least, direct, 1, promises=True)[-1])
    command = [found("haproxy") or "haproxy", "-db", "-f", CONFIG]
    return {
        "crossfade, HAProxy": await count(command, ours.directory, ours.port, requests, ENVIRONMENT[TUNABLES]),
        LEAST: await count(command, place / "least HAProxy", least, requests),
        "bare HAProxy": await count(command, place / "bare HAProxy", bare, requests),
    }


async def count(command: Sequence[str], place: Path, port: int, requests: int, *tunables: str) -> float:
    """Instructions a request of the balancer that this command starts in `place`."""
    valgrind = ("valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={COUNTED}")
    with child([*valgrind, *command], place, env={TUNABLES: ":".join([COPIES, *tunables])}) as balancer:
        await listening(port, place)
        asked = requests // CONNECTIONS
        await _ask(port, WARM)
        _control(place, "--instr=on", balancer.pid)
        await _ask(port, asked)
        _control(place, "--instr=off", balancer.pid)
        _control(place, "--dump", balancer.pid)
    return _total(place) / (asked * CONNECTIONS)


def _total(place: Path) -> int:
    """Of the dump that was asked for; the one at the end of the process has nothing to add."""
    found = [re.search(r"^totals: (\d+)", file.read_text(), re.MULTILINE) for file in place.glob(f"{COUNTED}*")]
    return max(int(one[1]) for one in found if one)


def _control(place: Path, order: str, pid: int) -> None:
    subprocess.run(["callgrind_control", order, str(pid)], cwd=place, capture_output=True, check=True)


async def _ask(port: int, times: int) -> None:
    """So many requests over each connection, all of one turn at once. BrokenError when one is not answered."""
    request = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    ways = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS)]
    try:
        for _ in range(times):
            for _, writer in ways:
                writer.write(request)
            for reader, _ in ways:
                await reader.readuntil(b"ok\n")
    except (OSError, asyncio.IncompleteReadError) as error:
        raise BrokenError(f"a request of {times} was not answered: {error}") from error
    finally:
        for _, writer in ways:
            writer.close()
