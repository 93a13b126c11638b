"""How the contract suite gets at each runtime: an adapter, a second one on the same state, and services to run."""

import io
import os
import tarfile
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from math import inf
from pathlib import Path
from typing import Any

from tests.adapters.token_fence import TokenFence

from crossfade.core.fleet import Health
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.engine.dry.behaviour import Behaviour
from crossfade.engine.dry.platform import Platform
from crossfade.engine.dry.runtime import DryRuntime
from crossfade.engine.ports.runtime import Runtime
from crossfade.platforms.local.runtimes.docker.runtime import DockerRuntime
from crossfade.platforms.local.runtimes.processes.runtime import ProcessRuntime

RUNS = "exec sleep 60"
ANNOUNCES = "echo up; exec sleep 60"
BREAKS = "exec >&2; echo starting; echo it is broken; exit 3"
MISSING = "no-such-program --serve"
POLITE = "trap 'echo going; exit 0' TERM; echo up; while :; do sleep 0.05; done"
STUBBORN = "trap '' TERM; echo up; while :; do sleep 0.05; done"
COUNTS = "for n in 1 2 3 4 5; do echo line $n; done; exec sleep 60"
TALKS = "echo first; sleep 0.4; echo second; exec sleep 60"
NAMES = "PORT CROSSFADE_RELEASE CROSSFADE_VERSION CROSSFADE_INSTANCE CROSSFADE_APP CROSSFADE_SERVICE COLOUR PASSWORD"
TELLS = f'for n in {NAMES}; do eval "echo $n=\\$$n"; done; exec sleep 60'
HOOK = 'echo "migrating $COLOUR $PASSWORD $TARGET $CROSSFADE_RELEASE"; exit 4'
BESIDE = 'echo "$CROSSFADE_INSTANCE $COLOUR $PASSWORD"; exit 3'
JOB = 'echo "$COLOUR $PASSWORD $CROSSFADE_RELEASE"; exit 5'
LONG_JOB = "trap 'echo going; exit 0' TERM; echo began; while :; do sleep 0.05; done"
SLOW_CHECK = "exec sleep 30"
SLOW_HOOK = "echo began; sleep 30"


def tell(env: Any) -> list[str]:
    return [f"{name}={env.get(name, '')}" for name in NAMES.split()]


ENDS_AT_ONCE = ((0.0, Health.EXITED),)
PROGRAMS = {
    ANNOUNCES: Behaviour(says=lambda env: ["up"]),
    BREAKS: Behaviour(
        says=lambda env: ["starting", "it is broken"], life=ENDS_AT_ONCE, detail="exited with code 3: it is broken"
    ),
    MISSING: Behaviour(life=ENDS_AT_ONCE, detail="command not found: no-such-program"),
    POLITE: Behaviour(says=lambda env: ["up"], parting="going"),
    STUBBORN: Behaviour(says=lambda env: ["up"], grace=inf),
    COUNTS: Behaviour(says=lambda env: [f"line {n}" for n in range(1, 6)]),
    TALKS: Behaviour(says=lambda env: ["first", "second"]),
    TELLS: Behaviour(says=tell),
    HOOK: Behaviour(
        says=lambda e: [f"migrating {e['COLOUR']} {e['PASSWORD']} {e['TARGET']} {e['CROSSFADE_RELEASE']}"], code=4
    ),
    BESIDE: Behaviour(says=lambda e: [f"{e['CROSSFADE_INSTANCE']} {e['COLOUR']} {e['PASSWORD']}"], code=3),
    JOB: Behaviour(says=lambda e: [f"{e['COLOUR']} {e['PASSWORD']} {e['CROSSFADE_RELEASE']}"], code=5),
    LONG_JOB: Behaviour(says=lambda env: ["began"], seconds=inf),
    SLOW_CHECK: Behaviour(seconds=30),
    SLOW_HOOK: Behaviour(says=lambda env: ["began"], seconds=30),
}


@dataclass
class Kit:
    """One runtime under test. `adapter()` makes another object on the same state; ids and apps are unique."""

    adapter: Callable[[], Runtime]
    base: Service  # with a source or image that is there
    other: Service  # with a different one
    missing: Service  # with one that is not
    fence: TokenFence
    clear: Callable[[], None] = lambda: None
    app: str = field(default_factory=lambda: f"t{uuid.uuid4().hex[:8]}")

    def service(self, command: str = RUNS, **changes: Any) -> Service:
        return replace(self.base, **{"app": self.app, "name": "web", "command": command, **changes})

    async def release(self, runtime: Runtime, command: str = RUNS, number: int = 1, **changes: Any) -> Release:
        service = self.service(command, **changes)
        artifact = await runtime.build(service)
        return Release(
            number=number,
            service=service,
            version="v1",
            digest=artifact.digest,
            config_hash="",
            path=os.environ["PATH"],
        )

    def id(self) -> str:
        return f"web-{uuid.uuid4().hex[:8]}"


def does(command: str) -> Behaviour:
    return PROGRAMS.get(command, Behaviour())


def memory_kit(folder: Path) -> Kit:
    platform, fence = Platform(behaves=lambda release, _: does(release.service.command), command=does), TokenFence()
    platform.missing.add("/none")
    base = Service(app="", name="", source="/one")
    return Kit(
        adapter=lambda: DryRuntime(platform, fence),
        base=base,
        other=replace(base, source="/two"),
        missing=replace(base, source="/none"),
        fence=fence,
    )


def docker_kit(folder: Path) -> Kit:
    """Two images, each with nothing but busybox in it; they go with the kit."""
    fence, made = TokenFence(), DockerImages()
    base = Service(app="", name="", runtime="docker", image=made.add("one"), port=8080)
    return Kit(
        adapter=lambda: DockerRuntime(folder / "state", fence),
        base=base,
        other=replace(base, image=made.add("two")),
        missing=replace(base, image="127.0.0.1:1/crossfade-test/nowhere:1"),
        fence=fence,
        clear=made.remove,
    )


class DockerImages:
    """Images made here, without any registry: a busybox and a file that tells them apart."""

    def __init__(self) -> None:
        import docker

        self._client = docker.from_env()
        self._name = f"crossfade-test-{uuid.uuid4().hex[:8]}"
        self._tags: list[str] = []

    def add(self, tag: str, changes: Sequence[str] = ()) -> str:
        """`changes` are lines of a Dockerfile, such as ENTRYPOINT."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            tar.add("/bin/busybox", "bin/busybox")
            for applet in ("sh", "sleep", "seq", "httpd", "dd", "cat", "echo", "id", "wget"):
                link = tarfile.TarInfo(f"bin/{applet}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(link)
            # Without `whose` it were the image of another's, and would go when that one goes.
            for file, said in (("which", tag), ("whose", self._name)):
                told = tarfile.TarInfo(file)
                told.size = len(said)
                tar.addfile(told, io.BytesIO(said.encode()))
        self._client.api.import_image_from_data(
            archive.getvalue(), repository=self._name, tag=tag, changes=list(changes)
        )
        self._tags.append(f"{self._name}:{tag}")
        return self._tags[-1]

    def remove(self) -> None:
        """With all that was built on them."""
        for name in self._tags:
            self._remove(str(self._client.images.get(name).id))
        self._client.close()

    def _remove(self, image: str) -> None:
        import docker.errors

        for one in self._client.api.images(all=True):
            if one["ParentId"] == image:
                self._remove(one["Id"])
        with suppress(docker.errors.ImageNotFound):  # it went with the last one that was built on it
            self._client.images.remove(image, force=True)


@cache
def docker_is_missing() -> str:
    """Why containers cannot be tested here; empty when they can. Seven files ask while they are collected."""
    import docker
    import docker.errors

    if not Path("/bin/busybox").exists():
        return "no /bin/busybox to make an image of (Debian: busybox-static)"
    try:
        docker.from_env().close()
    except docker.errors.DockerException:
        return "Docker does not run here, or may not be used"
    return ""


def process_kit(folder: Path) -> Kit:
    fence = TokenFence()
    for name in ("one", "two"):
        (folder / name).mkdir()
        (folder / name / "file").write_text(name)
    base = Service(app="", name="", source=str(folder / "one"))
    return Kit(
        adapter=lambda: ProcessRuntime(folder / "state", fence),
        base=base,
        other=replace(base, source=str(folder / "two")),
        missing=replace(base, source=str(folder / "none")),
        fence=fence,
    )
