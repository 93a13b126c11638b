"""One container of ours: how it is made, found again by its labels, looked at and ended.

All here asks the daemon and waits for its answer: it is called in a thread. The SDK is imported where it is needed,
because it costs 150 ms and most machines run no container.
"""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from signal import SIGKILL
from typing import TYPE_CHECKING, Any

from crossfade.core.errors import PlatformError
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.core.wire import decode
from crossfade.engine.ports.runtime import Found, Running
from crossfade.platforms.local.runtimes.ending import describe
from crossfade.platforms.local.runtimes.processes.logs import spoken
from crossfade.platforms.local.runtimes.processes.times import keep
from crossfade.telling.traces import LOOKED_AT

if TYPE_CHECKING:
    from docker import APIClient, DockerClient

SHELL = ["/bin/sh", "-c"]
ASKED = "crossfade.asked"  # the port of a container whose health is asked at one of its own
STOPPING = ".stopping"  # ends the name of a container that was told to go: labels cannot change, names can
LOG = {"max-size": "10m", "max-file": "3"}
ALIVE = {"running", "paused", "restarting"}
CONFLICT = 409
MACHINE = "host.docker.internal"  # by this name every container finds the machine it runs on
MOST_PROCESSES = 4096  # with threads: more than any server has, and less than what brings a machine down
COMMAND_REFUSED = {126, 127}  # exit codes of a command that cannot be run, or is not there
NEVER = "0001-01-01T00:00:00Z"  # StartedAt of a container that was never started
REASON = re.compile(r"exec: (.+?)(?:: unknown)?$")


def labels(**values: str | int | Path) -> dict[str, str]:
    return {f"crossfade.{name}": str(value) for name, value in values.items()}


def find(api: "APIClient", wanted: Mapping[str, str]) -> list[dict[str, Any]]:
    """All containers, running or not, that carry these labels, as `docker ps` lists them."""
    return list(api.containers(all=True, filters={"label": [f"{name}={value}" for name, value in wanted.items()]}))


def instance(entry: Mapping[str, Any]) -> str:
    return str(entry["Labels"]["crossfade.instance"])


def called(entry: Mapping[str, Any]) -> str:
    """An instance's or a run's id, a store's app and name; of a hook, which has none, the container's name."""
    marks = entry["Labels"]
    if "crossfade.store" in marks:
        return f"{marks['crossfade.app']}-{marks['crossfade.store']}"
    return str(marks.get("crossfade.instance") or marks.get("crossfade.run") or entry["Names"][0].lstrip("/"))


def create(
    client: "DockerClient",
    name: str,
    image: str,
    *,
    command: str,
    env: Mapping[str, str],
    marks: Mapping[str, str],
    service: Service,
    mounts: Sequence[Any] = (),
    words: Sequence[str] = (),
    terminal: bool | None = None,
    network: Mapping[str, Any] | None = None,
    published: tuple[int, int] | None = None,
) -> str:
    """Make a container and return its id. `command`, a line for a shell, replaces all that is started otherwise.

    Its init passes signals on to the whole process group, as a plain process gets them. It has no restart policy: that
    an instance ended is for the engine to see and to judge. With `words` its entrypoint is given these instead; with
    `terminal` somebody is to be attached to it, on a terminal or not.
    """
    import docker.errors  # noqa: PLC0415
    from docker.types import LogConfig, Ulimit  # noqa: PLC0415

    how, joined = service.container, dict(network or {})
    hosts = joined.pop("hosts", {})
    entrypoint, arguments = (SHELL, [command]) if command else (list(how.entrypoint), list(words or how.command))
    memory = service.resources.memory
    try:
        made = client.containers.create(
            image,
            entrypoint=entrypoint or None,
            command=arguments or None,
            user=how.user or None,
            working_dir=how.working_dir or None,
            cap_drop=list(how.cap_drop),
            cap_add=list(how.cap_add),
            read_only=how.read_only,
            tmpfs={path: options for path, _, options in (one.partition(":") for one in how.tmpfs)},
            stop_signal=how.stop_signal or None,
            extra_hosts={MACHINE: "host-gateway", **hosts, **dict(how.extra_hosts)},
            **joined,
            mounts=list(mounts),
            shm_size=how.shm_size,
            ulimits=[Ulimit(name=limit, soft=soft, hard=hard) for limit, soft, hard in how.ulimits],
            name=re.sub(r"[^a-zA-Z0-9_.-]", "_", name),
            labels={**marks, **({ASKED: str(service.health.port)} if service.health.port else {})},
            environment={**env, "TINI_KILL_PROCESS_GROUP": "1"},
            ports=_ports(service, published) if terminal is None else None,
            tty=bool(terminal),
            stdin_open=terminal is not None,
            init=True,
            security_opt=["no-new-privileges"],
            pids_limit=MOST_PROCESSES,
            nano_cpus=round(service.resources.cpu * 1e9) if service.resources.cpu else None,
            mem_limit=memory,
            memswap_limit=memory,  # the same: no swap on top of it
            log_config=LogConfig(type=LogConfig.types.JSON, config=LOG),
            detach=terminal is None,  # else its stdin ends with that of who is attached
        )
    except docker.errors.ImageNotFound as error:
        raise PlatformError(f"the image {image} of {service.key} was removed", "deploy it again") from error
    return str(made.id)


def _ports(service: Service, published: tuple[int, int] | None) -> dict[str, tuple[str, int]] | None:
    """On loopback: the `published` one, as (here, inside), a web service's at one that is free."""
    if published is not None:
        here, inside = published
        return {f"{inside}/tcp": ("127.0.0.1", here)}
    if service.kind != "web":
        return None
    return {f"{port}/tcp": ("127.0.0.1", 0) for port in (service.port, service.health.port) if port is not None}


def start(api: "APIClient", container: str) -> None:
    """Start it. That its command is not in the image is no error here: it is seen when the container is looked at.

    When Docker itself cannot (a network, a port), the container is removed: that is no fault of the release.
    """
    import docker.errors  # noqa: PLC0415

    try:
        api.start(container)
    except docker.errors.APIError:
        if api.inspect_container(container)["State"]["ExitCode"] not in COMMAND_REFUSED:
            remove(api, container)
            raise


def running(entry: Mapping[str, Any], ending: str | None) -> Running:
    """What `docker ps` lists, as the engine sees it; `ending` is how it ended, None while it runs."""
    marks = entry["Labels"]
    open_at = {
        str(port["PrivatePort"]): f"127.0.0.1:{port['PublicPort']}" for port in entry["Ports"] if "PublicPort" in port
    }
    asked_at = open_at.pop(marks.get(ASKED, ""), "")
    return Running(
        id=instance(entry),
        service=marks["crossfade.service"],
        release=int(marks["crossfade.release"]),
        address=next(iter(open_at.values()), ""),
        asked_at=asked_at,
        launched_at=float(entry["Created"]),
        exited=ending is not None,
        stopping=_is_stopping(entry),
        detail=ending or "",
    )


def is_instance(entry: Mapping[str, Any]) -> bool:
    """And no hook."""
    return "crossfade.instance" in entry["Labels"]


def found(entry: Mapping[str, Any]) -> Found:
    """What its labels say of it."""
    marks = entry["Labels"]
    made = marks.get("crossfade.made")
    release = None
    if made:
        with suppress(ValueError):
            release = decode(Release, json.loads(made))
    return Found(id=instance(entry), service=marks["crossfade.service"], release=release)


def mark_stopping(api: "APIClient", entry: Mapping[str, Any]) -> None:
    """Say for all to see that it was told to go."""
    if not _is_stopping(entry):
        api.rename(entry["Id"], entry["Names"][0].lstrip("/") + STOPPING)


def _is_stopping(entry: Mapping[str, Any]) -> bool:
    return any(name.endswith(STOPPING) for name in entry["Names"])


def has_ended(api: "APIClient", container: str) -> bool:
    import docker.errors  # noqa: PLC0415

    try:
        return not api.inspect_container(container)["State"]["Running"]
    except docker.errors.NotFound:
        return True


def ending(api: "APIClient", container: str) -> str:
    """How a container ended, with the last line it wrote. Of one that Docker has begun again, the code is forgotten."""
    import docker.errors  # noqa: PLC0415

    try:
        found = api.inspect_container(container)
        said = spoken(_written(api, container, tail=LOOKED_AT), 1)
    except docker.errors.NotFound:
        return "was removed"
    state, limit = found["State"], found["HostConfig"]["Memory"]
    if state["Error"]:
        return _refused(state)
    if state["StartedAt"] == NEVER:
        return "was never started"
    how = describe(None if state["Running"] and not state["Restarting"] else _code(state), said)
    if state["OOMKilled"]:
        return f"used more memory than its limit of {limit >> 20}M: {how}"
    if limit and _code(state) == -SIGKILL:
        # Docker hears of the kernel's kill by another way than of the end, and sometimes too late to say so.
        return f"perhaps used more memory than its limit of {limit >> 20}M: {how}"
    return how


def outcome(api: "APIClient", container: str) -> tuple[int, str]:
    """The exit code of one that has ended, and why it could not be started, if so."""
    state = api.inspect_container(container)["State"]
    return _code(state), _refused(state) if state["Error"] else ""


def _refused(state: Mapping[str, Any]) -> str:
    reason = REASON.search(state["Error"])
    return f"could not be started: {reason[1] if reason else state['Error']}"


def _code(state: Mapping[str, Any]) -> int:
    """As of a process, negative for a signal: the init reports 128 and the signal, so 137 is SIGKILL."""
    code = int(state["ExitCode"])
    return 128 - code if 128 < code <= 128 + 64 else code  # noqa: PLR2004  64 signals, reported as a shell does


def send(api: "APIClient", container: str, signal: str = "") -> None:
    """Signal it; without a name the one its image asks to be ended by. One that has ended is left in peace."""
    import docker.errors  # noqa: PLC0415

    try:
        api.kill(container, signal or api.inspect_container(container)["Config"].get("StopSignal") or "SIGTERM")
    except docker.errors.APIError as error:
        if not has_ended(api, container):
            raise PlatformError(f"Docker cannot signal {container[:12]}: {error.explanation}") from error


def remove(api: "APIClient", container: str) -> None:
    import docker.errors  # noqa: PLC0415

    try:
        api.remove_container(container, force=True, v=True)
    except docker.errors.NotFound:
        return
    except docker.errors.APIError as error:
        if error.status_code != CONFLICT:  # somebody removes it just now
            raise


def save_log(api: "APIClient", container: str, log: Path, lines: int) -> None:
    """Keep what a container wrote, and when; readable by us alone, as it is with Docker."""
    import docker.errors  # noqa: PLC0415

    try:
        written = _written(api, container, timestamps=True, tail=lines)
    except docker.errors.NotFound:
        return
    stamped = [line.partition(b" ") for line in written.split(b"\n") if line]
    ends = accumulate(len(line) + 1 for _, _, line in stamped)
    with suppress(OSError, ValueError):  # a full disk must not keep an instance from being removed
        log.touch(mode=0o600)
        log.write_bytes(b"".join(line + b"\n" for _, _, line in stamped))
        keep(log, [(end, seconds_of(time.decode())) for end, (time, _, _) in zip(ends, stamped, strict=True)])


def _written(api: "APIClient", container: str, **how: Any) -> bytes:
    """Its output; nothing of one that somebody is removing just now."""
    import docker.errors  # noqa: PLC0415

    try:
        written: bytes = api.logs(container, **how)
    except docker.errors.APIError as error:
        if error.status_code != CONFLICT:
            raise
        return b""
    return written


def stamped_lines(api: "APIClient", container: str, *, last: int | None, after: str) -> list[tuple[str, str]]:
    """(time, line), oldest first: the `last` ones, or all written after the time `after`. Times sort as text."""
    tail = "all" if last is None else max(1, last)
    written = _written(api, container, timestamps=True, tail=tail, since=_seconds(after))
    stamped = [line.partition(" ") for line in written.decode(errors="replace").removesuffix("\n").split("\n")]
    return [(time, line.rstrip("\r")) for time, _, line in stamped if time > after]


def seconds_of(stamp: str) -> float:
    """Docker's time, which has nanoseconds: 2026-11-29T05:48:39.123456789Z."""
    return datetime.fromisoformat(stamp[:26].rstrip("Z")).replace(tzinfo=UTC).timestamp()


def _seconds(stamp: str) -> float | None:
    """Up to a second before this time, as the daemon wants it; the exact comparison is ours."""
    if not stamp:
        return None
    return datetime.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC).timestamp()
