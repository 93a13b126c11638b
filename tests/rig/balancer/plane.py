"""The data plane: an Envoy that does what the API said a while ago, and tells of every request."""

import asyncio
import contextlib
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

from tests.rig.balancer import config
from tests.rig.wire import Json

from crossfade.platforms.local.balancers.envoy.process import installed

_START = 20.0
_STOP = 5.0
_SETTLES = 50.0
_CHUNK = re.compile(r"\r\n[0-9a-f]+\r\n")  # between two parts of a long answer
_VERSION = re.compile(r'version_text: "(\d+)"')

# Its listeners share their ports with whoever else of this user binds them: one that outlived its rig would answer some
# of the next one's visitors.
_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")


class Plane:
    """`publish` what shall be so `delay` seconds from now; `heard` gets each line of the access log."""

    def __init__(self, folder: Path, heard: Callable[[str], None]) -> None:
        self.folder = folder
        self._heard = heard
        self._version = 0
        self._written: dict[str, str] = {}
        self._versions: dict[str, str] = {}  # of each file
        self._due = 0.0
        self._closed = False
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write({"lds": [], "cds": []})
        boot = self.folder / "envoy.json"
        boot.write_text(json.dumps(config.bootstrap(self.folder)))
        with (self.folder / "envoy.log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *_WITH_US,
                *(str(installed()), "-c", str(boot), "--log-level", "warning", "--concurrency", "2"),
                *("--disable-hot-restart", "--file-flush-interval-msec", "50"),
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        self._reading = asyncio.create_task(self._read())
        async with asyncio.timeout(_START):
            while not await self._answers():  # noqa: ASYNC110  only Envoy knows
                await asyncio.sleep(0.02)

    async def close(self) -> None:
        self._closed = True
        if self._process is None or self._reading is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), _STOP)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reading

    def publish(self, files: dict[str, list[Json]], delay: float) -> None:
        """Never before what was published earlier, although the delay may have become shorter."""
        loop = asyncio.get_running_loop()
        self._due = max(self._due, loop.time() + delay)
        loop.call_at(self._due, self._write, files)

    async def settled(self) -> None:
        """Once Envoy does all that was published until now."""
        await asyncio.sleep(max(0.0, self._due - asyncio.get_running_loop().time()))
        async with asyncio.timeout(_SETTLES):
            while not await self._runs():  # noqa: ASYNC110  only Envoy knows
                await asyncio.sleep(0.02)

    async def _runs(self) -> bool:
        """The newest version of each file."""
        self._require_alive()
        return set(self._versions.values()) <= set(_VERSION.findall(await self._admin("/stats?type=TextReadouts")))

    def _write(self, files: dict[str, list[Json]]) -> None:
        """In their order: who is named must be there before who names it. Envoy watches for moved files."""
        if self._closed:
            return
        for name, resources in files.items():
            text = json.dumps(resources)
            if self._written.get(name) == text:
                continue
            self._written[name] = text
            self._version += 1
            self._versions[name] = str(self._version)
            fresh = self.folder / f"{name}.new"
            fresh.write_text(json.dumps({"version_info": str(self._version), "resources": resources}))
            fresh.replace(self.folder / name)
        self._versions = {name: version for name, version in self._versions.items() if name in files}

    async def _answers(self) -> bool:
        self._require_alive()
        try:
            return "LIVE" in await self._admin("/ready")
        except OSError:
            return False

    def _require_alive(self) -> None:
        if self._process is not None and (code := self._process.returncode) is not None:
            raise RuntimeError(f"Envoy ended with {code}: {(self.folder / 'envoy.log').read_text()[:2500]}")

    async def _admin(self, path: str) -> str:
        reader, writer = await asyncio.open_unix_connection(str(self.folder / "admin.sock"))
        writer.write(f"GET {path} HTTP/1.1\r\nHost: rig\r\nConnection: close\r\n\r\n".encode())
        said = await reader.read()
        writer.close()
        return _CHUNK.sub("", said.decode())

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self._heard(line.decode().rstrip("\n"))
        if not self._closed:
            code, said = await self._process.wait(), (self.folder / "envoy.log").read_text()[-2500:]
            sys.stderr.write(f"the rig's Envoy ended with {code}, and whoever asks it is refused: {said}\n")
