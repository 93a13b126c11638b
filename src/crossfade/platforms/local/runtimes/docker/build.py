"""An image made of a Dockerfile by Docker's own command line, which knows BuildKit: the daemon's API alone does not."""

import asyncio
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from crossfade.core.errors import PlatformError, WrongInputError
from crossfade.core.service import Build, Service
from crossfade.platforms.local.runtimes.docker.daemon import SOCKET
from crossfade.platforms.local.runtimes.processes.logs import last_words
from crossfade.source import git

SHOWN_LINES = 15
_OURS = ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")
_THEIRS = ("PATH", "HOME", "DOCKER_CONFIG", "DOCKER_BUILDKIT", "SSH_AUTH_SOCK")
ENDS_WITHIN = 10.0  # seconds for the command line to give a build up


async def image_id(service: Service, build: Build, env: Mapping[str, str], log: Path, platform: str = "") -> str:
    """Build the image and return its id, `sha256:...`; what the build writes goes to `log`.

    `platform` is what it is to run on, such as linux/arm64, where that is not the daemon's own.

    Values of ARGs are handed over in the environment, where no list of processes shows them. WrongInputError for a
    build that fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "id"
        line = _line(build, told, platform)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        try:
            code = await _run(line, {**_surroundings(env), **dict(build.args)}, output)
        finally:
            os.close(output)
        if code != 0:
            said = last_words(log, SHOWN_LINES).replace("\n", "\n    ")
            raise WrongInputError(
                f"the image of {service.key} could not be built from {build.context}: code {code}\n    {said}",
                f"everything it wrote is in {log}; nothing was changed",
            )
        return told.read_text(encoding="ascii").strip()


def commit(build: Build) -> git.Commit | None:
    """Where the context stands; None for what is no work tree."""
    return git.commit(Path(build.context)) if Path(build.context).is_dir() else None


def _line(build: Build, told: Path, platform: str) -> list[str]:
    remote = not Path(build.context).is_absolute()
    line = ["docker", "build", "--force-rm", "--iidfile", str(told)]  # a failed step would leave its container
    if platform:
        line += ["--platform", platform]
    if build.dockerfile:
        line += ["--file", build.dockerfile if remote else str(Path(build.context) / build.dockerfile)]
    if build.target:
        line += ["--target", build.target]
    for name, _ in build.args:
        line += ["--build-arg", name]
    return [*line, build.context]


def _surroundings(env: Mapping[str, str]) -> dict[str, str]:
    """Logins and programs are those of the shell that deploys, the daemon is ours: its images are what we start."""
    ours = {name: os.environ[name] for name in (*_OURS, *_THEIRS) if name in os.environ}
    return {"DOCKER_HOST": f"unix://{SOCKET}"} | ours | {name: env[name] for name in _THEIRS if name in env}


async def _run(line: list[str], env: Mapping[str, str], output: int) -> int:
    try:
        build = await asyncio.create_subprocess_exec(
            *line, env=env, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output
        )
    except FileNotFoundError as error:
        raise PlatformError(
            "Docker's command line, which builds images, is not installed", "install docker-cli"
        ) from error
    try:
        return await build.wait()
    finally:
        if build.returncode is None:  # the deploy was stopped
            with suppress(ProcessLookupError):
                build.terminate()
            try:
                await asyncio.wait_for(build.wait(), ENDS_WITHIN)
            except TimeoutError:
                build.kill()
