"""CodeDeploy's agent on an instance: it fetches a revision, unpacks and installs it, and runs its hooks as processes.

What it does when, and what it says of it, is the real agent's: https://github.com/aws/aws-codedeploy-agent
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_ROOT = Path("/opt/codedeploy-agent/deployment-root")
_LONGEST = 3600.0  # seconds: of a script whose limit is not said, and of all scripts of an event
_TAIL = 2048  # characters of what scripts wrote
# https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html: these run from
# the last revision that was installed here, and not from the one that comes.
_OF_THE_LAST = {"ApplicationStop", "BeforeBlockTraffic", "AfterBlockTraffic"}


class Failure(Exception):  # noqa: N818  it is an answer
    """An event that fails: `code` as the API's LifecycleErrorCode has it."""

    def __init__(self, code: str, said: str, script: str = "") -> None:
        super().__init__(said)
        self.code, self.said, self.script = code, said, script


@dataclass(frozen=True)
class Asked:
    """One lifecycle event of one deployment. `pace` divides limits, as it does all of AWS's times."""

    event: str
    deployment: str
    application: str
    group: str
    group_id: str
    bucket: str
    key: str
    pace: float

    @property
    def home(self) -> Path:
        return _ROOT / self.group_id / self.deployment

    @property
    def archive(self) -> Path:
        return self.home / "deployment-archive"

    @property
    def installed(self) -> Path:
        """Where the last deployment that was installed is written down."""
        return _ROOT / "deployment-instructions" / f"{self.group_id}_last_successful_install"

    @property
    def left(self) -> Path:
        """What it copied to where."""
        return _ROOT / "deployment-instructions" / f"{self.group_id}-cleanup"

    @property
    def variables(self) -> dict[str, str]:
        return {
            "LIFECYCLE_EVENT": self.event,
            "DEPLOYMENT_ID": self.deployment,
            "APPLICATION_NAME": self.application,
            "DEPLOYMENT_GROUP_NAME": self.group,
            "DEPLOYMENT_GROUP_ID": self.group_id,
        }


class Agent:
    """`carry` an event out, and say how it went as the API does."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._log = ""

    async def carry(self, said: dict[str, Any]) -> dict[str, str]:
        asked, self._log = Asked(**said), ""
        try:
            if asked.event == "DownloadBundle":
                await asyncio.to_thread(self._download, asked)
            elif asked.event == "Install":
                await asyncio.to_thread(_install, asked)
            else:
                await self._hooks(asked)
        except Failure as error:
            told = {"errorCode": error.code, "message": error.said, "scriptName": error.script}
        except Exception as error:  # noqa: BLE001  whoever deploys is to hear of it
            told = {"errorCode": "UnknownError", "message": str(error) or repr(error), "scriptName": ""}
        else:
            told = {"errorCode": "Success", "message": "Succeeded", "scriptName": ""}
        return {**told, "logTail": self._log[-_TAIL:]}

    def _download(self, asked: Asked) -> None:
        shutil.rmtree(asked.home, ignore_errors=True)
        asked.archive.mkdir(parents=True)
        bundle = asked.home / "bundle.zip"
        try:
            bundle.write_bytes(asked_of_s3(self._environment, f"{asked.bucket}/{asked.key}"))
        except urllib.error.HTTPError as error:
            raise Failure("UnknownError", f"The specified key does not exist: {error.reason}") from error
        with zipfile.ZipFile(bundle) as packed:
            for one in packed.infolist():
                path = Path(packed.extract(one, asked.archive))
                if not one.is_dir() and (mode := one.external_attr >> 16 & 0o777):
                    path.chmod(mode)

    async def _hooks(self, asked: Asked) -> None:
        archive = asked.archive
        if asked.event in _OF_THE_LAST:
            if not asked.installed.exists():
                return  # a first deployment has nothing to stop
            archive = Path(asked.installed.read_text()) / "deployment-archive"
            if not archive.exists():
                return
        scripts = _spec(archive).get("hooks", {}).get(asked.event) or []
        if sum(float(one.get("timeout", _LONGEST)) for one in scripts) > _LONGEST:
            raise Failure("UnknownError", f"The scripts of {asked.event} may take longer than an hour together")
        for script in scripts:
            await self._script(asked, archive, script)

    async def _script(self, asked: Asked, archive: Path, script: dict[str, Any]) -> None:
        location, limit = script["location"], float(script.get("timeout", _LONGEST))
        path = archive / location
        if not path.exists():
            raise Failure("ScriptMissing", f"Script does not exist at specified location: {path}", location)
        path.chmod(path.stat().st_mode | 0o111)
        user = script.get("runas", "")
        command = ["runuser", "-u", user, "--", str(path)] if user and user != "root" else [str(path)]
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=_ROOT,
            env={**self._environment, **asked.variables},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(limit / asked.pace):
                async for line in process.stdout:
                    self._log += f"[stdout]{line.decode(errors='replace')}"
                code = await process.wait()
        except TimeoutError as error:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            said = f"Script at specified location: {location} failed to complete in {limit:g} seconds"
            raise Failure("ScriptTimedOut", said, location) from error
        if code:
            called = f"Script at specified location: {location}" + (f" run as user {user}" if user else "")
            raise Failure("ScriptFailed", f"{called} failed with exit code {code}", location)


def asked_of_s3(environment: dict[str, str], place: str, body: bytes | None = None) -> bytes:
    """What is at a place, `bucket/key`, or what it says to a body that is put there."""
    scope = f"{environment['AWS_ACCESS_KEY_ID']}/20260101/{environment['AWS_REGION']}/s3/aws4_request"
    request = urllib.request.Request(
        f"{environment['AWS_ENDPOINT_URL']}/{place}",
        method="GET" if body is None else "PUT",
        data=body,
        headers={
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=rig",
            "Content-Type": "application/octet-stream",
        },
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: bytes = answer.read()
    return found


def _spec(archive: Path) -> dict[str, Any]:
    """Its appspec, without which nothing more is done."""
    path = next((one for name in ("appspec.yml", "appspec.yaml") if (one := archive / name).exists()), None)
    if path is None:
        raise Failure(
            "UnknownError",
            "The CodeDeploy agent did not find an AppSpec file within the unpacked revision directory at "
            f'revision-relative path "appspec.yml". The revision was unpacked to directory "{archive}", and the '
            f'AppSpec file was expected but not found at path "{archive}/appspec.yml".',
        )
    found = yaml.safe_load(path.read_text())
    if not isinstance(found, dict) or found.get("version") not in (0, 0.0) or found.get("os") != "linux":
        raise Failure("UnknownError", "The deployment specification was unsupported: version 0.0 and os: linux")
    return found


def _install(asked: Asked) -> None:
    """What the last one copied goes, then the files come; one that is there already is refused, unless said otherwise.

    https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-files.html
    """
    spec = _spec(asked.archive)
    if asked.left.exists():
        for name in json.loads(asked.left.read_text()):
            Path(name).unlink(missing_ok=True)
    exists, copied = spec.get("file_exists_behavior", "DISALLOW"), []
    for one in spec.get("files") or []:
        for source, target in _pairs(asked.archive, one):
            if target.exists() and exists == "DISALLOW":
                raise Failure(
                    "UnknownError", f"The deployment failed because a specified file already exists: {target}"
                )
            if target.exists() and exists == "RETAIN":
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
            copied.append(str(target))
    asked.installed.parent.mkdir(parents=True, exist_ok=True)
    asked.left.write_text(json.dumps(copied))
    asked.installed.write_text(str(asked.home))


def _pairs(archive: Path, said: dict[str, str]) -> Iterator[tuple[Path, Path]]:
    source, target = archive / said["source"].lstrip("/"), Path(said["destination"])
    if source.is_file():
        yield source, target / source.name
        return
    for path in sorted(source.rglob("*")):
        if path.is_file():
            yield path, target / path.relative_to(source)
