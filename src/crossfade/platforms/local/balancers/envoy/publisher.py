"""Writing what Envoy is to run, and knowing that it runs it."""

import asyncio
import json
import re
import time
from pathlib import Path

from crossfade.core.errors import PlatformError
from crossfade.platforms.local.balancers import files, sockets
from crossfade.platforms.local.balancers.envoy.admin import Admin, Statistics
from crossfade.platforms.local.balancers.envoy.bootstrap import CLUSTERS, LISTENERS
from crossfade.platforms.local.balancers.envoy.config import Files, readouts
from crossfade.platforms.local.balancers.envoy.process import EnvoyProcess

_CONFIRM_LIMIT = 10.0
_ANSWERS = r"(\.version_text|\.update_rejected)$"
_REJECTED = re.compile(r"(?:update rejected|rejected): (?P<why>.*)")
_BIND = re.compile(r"cannot bind '.*:(?P<port>\d+)'")
_FOLDERS = ("endpoints", "routes", "certificates")


class Publisher:
    """The files of one state directory, and the version of each that Envoy confirmed."""

    def __init__(self, directory: Path, admin: Admin, process: EnvoyProcess) -> None:
        self._directory = directory
        self._admin = admin
        self._process = process
        self._sequence = 0
        self._versions: dict[str, str] = {}
        self._rejected: dict[str, str] = {}
        self._doubtful: set[str] = set()  # written, and not confirmed yet
        self._confirmed: Statistics | None = None  # the answer that confirmed last
        self.published: Files = {}

    async def adopt(self) -> None:
        """Know again what lies in the directory of an Envoy that runs. Nobody knows what of it was confirmed."""
        self.read()
        self._rejected = {
            name: v for name, v in (await self._admin.stats(_ANSWERS)).values.items() if "rejected" in name
        }
        self._doubtful = set(self.published)

    def read(self) -> None:
        """Know again what lies in the directory."""
        for folder in _FOLDERS:
            (self._directory / folder).mkdir(exist_ok=True)
        found = [CLUSTERS, LISTENERS]
        found += [f"{folder}/{path.name}" for folder in _FOLDERS for path in (self._directory / folder).glob("*.json")]
        self.published, self._versions, self._doubtful = {}, {}, set()
        for name in found:
            try:
                content = json.loads((self._directory / name).read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue  # written anew with the next publication
            self.published[name] = content["resources"]
            self._versions[name] = content["version_info"]
            self._sequence = max(self._sequence, int(content["version_info"].split(".")[0]))

    def lay_out(self, wanted: Files) -> None:
        """Everything written before Envoy starts; `confirm_all` sees that it took it."""
        self._write(wanted, 0)
        self._clear(wanted)
        self.expect_new_process()

    def expect_new_process(self) -> None:
        """It counts its refusals from zero, and everything has yet to be confirmed by it."""
        self._rejected = {}
        self._doubtful = set(self.published)

    async def confirm_all(self, log: int) -> None:
        """Wait until Envoy runs all that is published. PlatformError says why not, in words of its log after `log`."""
        await self._confirm(self.published, log)
        await self.settle()

    async def publish(self, wanted: Files, token: int) -> None:
        """Change what differs, and return when Envoy confirmed it. Workers follow in the same order: see `settle`.

        What is referred to is written before what refers to it. When Envoy rejects it, the old files are put back and
        PlatformError has Envoy's own words.
        """
        before = self.published
        if wanted == before and not self._doubtful:
            return
        try:
            await self._carry_out(wanted, token)
        except PlatformError:
            if wanted != before:
                await self._put_back(before, token)
            raise

    async def _carry_out(self, wanted: Files, token: int) -> None:
        changed = {
            name: wanted[name] for name in wanted if name in self._doubtful or self.published.get(name) != wanted[name]
        }
        below = {name: res for name, res in changed.items() if name == CLUSTERS or name.startswith("endpoints/")}
        above = {name: res for name, res in changed.items() if name not in below}
        for part in (below, above):
            if part:
                log = self._process.log_size()
                self._write(part, token)
                await self._confirm(part, log)
        self._clear(wanted)

    async def settle(self) -> None:
        """Return when every worker of Envoy's runs what was confirmed.

        Each is given the changes one after the other, so that this is worth asking only after the last of several.
        """
        if self._confirmed is not None:
            await self._admin.settle(self._confirmed)

    async def _put_back(self, before: Files, token: int) -> None:
        try:
            await self._carry_out(before, token)
        except PlatformError:
            self._write(before, token)  # Envoy is in trouble of its own: it finds the good files when it is back
            self._clear(before)

    def _write(self, part: Files, token: int) -> None:
        """Endpoints before the clusters that read them, routes before listeners."""
        self._sequence += 1
        version = f"{self._sequence}.{token}"
        for name in sorted(part, key=lambda name: (name in {CLUSTERS, LISTENERS}, name)):
            content = {"version_info": version, "resources": part[name]}
            # A power cut ends Envoy too, and all of these are written anew before it starts.
            files.replace(self._directory / name, json.dumps(content), durable=False)
            self._versions[name] = version
            self._doubtful.add(name)
        self.published = {**self.published, **part}

    def _clear(self, wanted: Files) -> None:
        for name in self.published.keys() - wanted.keys():
            (self._directory / name).unlink(missing_ok=True)
            self._versions.pop(name, None)
            self._doubtful.discard(name)
        self.published = {name: self.published[name] for name in wanted}

    async def _confirm(self, part: Files, log: int) -> None:
        expected = {
            stat: f'"{self._versions[name]}"' for name, resources in part.items() for stat in readouts(name, resources)
        }
        end = time.monotonic() + _CONFIRM_LIMIT
        while True:
            asked = await self._admin.stats(_ANSWERS)
            stats = asked.values
            rejected = {n: v for n, v in stats.items() if n.endswith("rejected") and v != self._rejected.get(n, "0")}
            self._rejected.update(rejected)
            if rejected:
                raise PlatformError(f"Envoy refused: {self._why(log)}", "nothing was changed: the old routing runs")
            missing = [name for name, version in expected.items() if stats.get(name) != version]
            if not missing:
                self._doubtful -= part.keys()
                self._confirmed = asked
                return
            if time.monotonic() > end:
                raise PlatformError(f"Envoy did not confirm {', '.join(missing)} in {_CONFIRM_LIMIT:.0f} s")
            await asyncio.sleep(0.0005)

    def _why(self, log: int) -> str:
        lines = self._process.log_after(log)
        found = [match["why"] for line in lines if (match := _REJECTED.search(line))]
        why = found[-1] if found else (lines[-1] if lines else "its log does not say why")
        bind = _BIND.search(why)
        holder = sockets.holder_of(int(bind["port"])) if bind else ""
        return f"{why} (the port is held by {holder})" if holder else why
