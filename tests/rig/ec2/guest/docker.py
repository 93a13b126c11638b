"""`docker` on an instance: an image of the rig's is a program, and a container of it a process of the instance."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from tests.rig.ec2.guest.facts import Refusal
from tests.rig.ecs.container import Container

_AGAIN = 0.1  # seconds before the first restart, twice as many before each further one
_LONGEST = 60.0  # https://docs.docker.com/engine/containers/start-containers-automatically/
_DETACHED = {"--detach", "-d"}
_FLAGS = {*_DETACHED, "--rm"}
_FORCED = {"--force", "-f"}


class Docker:
    """`run` takes what stands after `docker`. `ask` asks the rig."""

    def __init__(
        self, ask: Callable[[str, Any], Awaitable[Any]], environment: dict[str, str], say: Callable[..., None]
    ) -> None:
        self._ask, self._environment, self._say = ask, environment, say
        self._containers: dict[str, Container] = {}
        self._environments: dict[str, dict[str, str]] = {}  # of those that were begun, by name
        self._work: dict[str, asyncio.Task[None]] = {}

    async def run(
        self, arguments: list[str], env: dict[str, str], heard: Callable[[str], None], stdin: str = ""
    ) -> str:
        """`heard` gets what a container in the foreground writes."""
        verb, *rest = arguments
        match verb:
            case "pull":
                await self._image(rest[-1])
                return f"{rest[-1]}\n"
            case "run":
                return await self._begin(rest, env, heard)
            case "stop" | "rm" | "kill":
                for name in [one for one in rest if not one.startswith("-")]:
                    await self._stop(name, 0.0 if _FORCED & set(rest) else 10.0)
                return ""
            case "exec":
                return await self._beside([one for one in rest if one != "-i"], stdin)
            case "ps":
                return "".join(f"{name}\n" for name, one in self._containers.items() if one.running)
        return ""  # login, logout: images are anybody's here

    async def _beside(self, rest: list[str], stdin: str) -> str:
        """One more process with a container's own variables."""
        name, *command = rest
        process = await asyncio.create_subprocess_exec(
            *command,
            env=self._environments[name],
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, errors = await process.communicate(stdin.encode(errors="surrogateescape"))
        if process.returncode:
            raise Refusal(errors.decode(errors="replace").strip(), process.returncode)
        return out.decode(errors="surrogateescape")

    async def end(self, grace: float) -> None:
        await asyncio.gather(*(self._stop(name, grace) for name in list(self._containers)))

    async def _image(self, reference: str) -> Any:
        return await self._ask("/pull", {"reference": reference})

    async def _begin(self, rest: list[str], env: dict[str, str], shown: Callable[[str], None]) -> str:
        options: dict[str, list[str]] = {}
        detached = False
        while rest and rest[0].startswith("-"):
            flag = rest.pop(0)
            name, equals, value = flag.partition("=")
            if flag in _FLAGS:
                detached = detached or flag in _DETACHED
                continue
            options.setdefault(name, []).append(value if equals else rest.pop(0))
        image = await self._image(rest[0])
        command = rest[1:] or image["command"]
        own = {**self._environment, **image["environment"]}
        for one in (*options.get("--env", ()), *options.get("-e", ())):
            key, equals, value = one.partition("=")
            own |= {key: value if equals else env[key]} if equals or key in env else {}
        for published in (*options.get("--publish", ()), *options.get("-p", ())):
            *_, outside, inside = published.split(":")
            if own.get("PORT") == inside:
                own["PORT"] = outside  # a process has no network of its own
        (name,) = options.get("--name", [f"c{len(self._containers)}"])
        self._environments[name] = own
        log = dict(one.partition("=")[::2] for one in options.get("--log-opt", ()))
        again = options.get("--restart", [""])[0] in ("always", "unless-stopped")
        heard = partial(self._heard, log.get("awslogs-group", ""), log.get("awslogs-stream", name))
        if not detached:
            return await self._foreground(name, tuple(command), image["folder"], own, shown)
        start = partial(self._start, name, tuple(command), image["folder"], own, heard)
        await start()
        self._work[name] = asyncio.create_task(self._watch(name, start, again=again))
        return f"{name}\n"

    async def _start(
        self, name: str, command: tuple[str, ...], folder: str, env: dict[str, str], heard: Callable[[str], None]
    ) -> None:
        container = self._containers[name] = Container(name, essential=True, memory=None)
        await container.start(command, folder, env, heard)

    async def _foreground(
        self, name: str, command: tuple[str, ...], folder: str, env: dict[str, str], shown: Callable[[str], None]
    ) -> str:
        """Until it ends, with its exit code."""
        await self._start(name, command, folder, env, shown)
        container = self._containers[name]
        await container.wait()
        self._containers.pop(name, None)
        if container.exit_code:
            raise Refusal("", container.exit_code)
        return ""

    def _heard(self, group: str, stream: str, line: str) -> None:
        self._say(log=group, stream=stream, line=line)

    async def _watch(self, name: str, start: Callable[[], Awaitable[None]], *, again: bool) -> None:
        pause = _AGAIN
        while True:
            await self._containers[name].wait()
            self._say(console=f"container {name} exited with code {self._containers[name].exit_code}")
            if not again:
                return
            await asyncio.sleep(pause)
            pause = min(_LONGEST, pause * 2)
            await start()

    async def _stop(self, name: str, grace: float) -> None:
        work, container = self._work.pop(name, None), self._containers.pop(name, None)
        if work:
            work.cancel()
        if container:
            await container.stop(grace)
