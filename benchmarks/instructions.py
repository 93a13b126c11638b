"""What our Envoy configuration has the processor do for a request, beside the smallest one: counted, not timed."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.bare import answering, passing
from benchmarks.children import BrokenError, child, free_port, listening, room, workplace
from benchmarks.proxies import CrossfadeEnvoy
from benchmarks.proxies.crossfade import envoy_binary, telling
from benchmarks.result import Figure, Result, Table, number
from benchmarks.scale import Scale

NOUN = "instructions"
CONNECTIONS = 32
WARM = 10  # requests of each connection that are not counted: the first ones build what is then kept
COUNTED = "totals.out"
HOW = f"""\
Envoy with one worker under callgrind, which counts each instruction it executes, in our configuration and in the bare
one of the throughput benchmark. {CONNECTIONS} keep-alive connections ask in turn. Unlike requests a second it repeats
on a busy machine; what it leaves out is how long the processor waits for memory.
"""


async def measure(scale: Scale) -> Result:
    title = "Instructions a request beside a bare Envoy"
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
                counted = await _count([*plain, "--service-node", "counted"], ours.directory, ours.port, scale.counted)
            taken = {
                "crossfade": counted,
                "bare Envoy": await _count(passing(bare, direct, 1), room(place, "bare"), bare, scale.counted),
            }
    ratio = taken["bare Envoy"] / taken["crossfade"]
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


async def _count(command: Sequence[str], place: Path, port: int, requests: int) -> float:
    """Instructions a request of the Envoy that this command starts in `place`."""
    valgrind = ("valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={COUNTED}")
    with child([*valgrind, *command], place) as envoy:
        await listening(port, place)
        asked = requests // CONNECTIONS
        await _ask(port, WARM)
        _control(place, "--instr=on", envoy.pid)
        await _ask(port, asked)
        _control(place, "--instr=off", envoy.pid)
        _control(place, "--dump", envoy.pid)
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
