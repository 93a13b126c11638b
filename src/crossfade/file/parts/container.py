"""The container of a service beside its image: how it starts, as whom, and with which rights."""

import ipaddress
import shlex
import signal
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field
from pydantic.json_schema import JsonSchemaValue

from crossfade.file.part import Clash, Part, refuse
from crossfade.file.reading.problem import nearest, shown
from crossfade.file.units import MeantError, Notation, Size, Text

_USER = Text(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?", "a user such as app, 1000 or 1000:1000")
_ABSOLUTE = Text(r"/[^:\0]*", "a path in the container that begins with /")
_MEMORY = Text(r"/[^:\0]*(:[A-Za-z0-9=,%]+)?", "a path in the container, such as /run or /run:size=64m")

# man 7 capabilities, as of Linux 6
CAPABILITIES = (
    *("ALL", "AUDIT_CONTROL", "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "BPF", "CHECKPOINT_RESTORE", "CHOWN"),
    *("DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE"),
    *("LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "MKNOD", "NET_ADMIN", "NET_BIND_SERVICE", "NET_BROADCAST"),
    *("NET_RAW", "PERFMON", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYSLOG", "SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT"),
    *("SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG"),
    "WAKE_ALARM",
)
SIGNALS = tuple(one.name for one in signal.Signals)
LIMITS = (
    *("core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio"),
    *("rttime", "sigpending", "stack"),
)
HOST_GATEWAY = "host-gateway"  # Docker's word for the address of the machine


@dataclass(frozen=True)
class Capability(Notation):
    """A capability of Linux as `man 7 capabilities` has it, with or without CAP_; or ALL."""

    def read(self, value: object) -> str:
        word = value.upper().removeprefix("CAP_") if isinstance(value, str) else ""
        if word not in CAPABILITIES:
            raise MeantError("a capability such as NET_BIND_SERVICE, or ALL", nearest(word, CAPABILITIES))
        return word

    def schema(self) -> JsonSchemaValue:
        return {"type": "string", "pattern": "^[A-Za-z_]+$"}


@dataclass(frozen=True)
class Signal(Notation):
    """SIGQUIT, QUIT or SIGRTMIN+3; a number is taken too."""

    def read(self, value: object) -> str:
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= signal.NSIG:
            return str(value)
        word = value.upper() if isinstance(value, str) else ""
        word = word if word.startswith("SIG") else f"SIG{word}"
        base, plus, number = word.partition("+")
        if base not in SIGNALS or (plus and not (base == "SIGRTMIN" and number.isdecimal())):
            raise MeantError("a signal such as SIGQUIT", nearest(word, SIGNALS))
        return word

    def schema(self) -> JsonSchemaValue:
        return {"type": ["string", "integer"]}


@dataclass(frozen=True)
class User(Notation):
    """A name or a number, with a group if you like: `app`, 1000, `1000:1000`."""

    def read(self, value: object) -> str:
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        return _USER.read(text)

    def schema(self) -> JsonSchemaValue:
        return {"type": ["string", "integer"]}


@dataclass(frozen=True)
class Words(Notation):
    """A program and its arguments, for no shell: a list, or a text that is split where a shell would."""

    def read(self, value: object) -> tuple[str, ...]:
        allowed = "a program and its arguments, such as [docker-entrypoint.sh, -v]"
        if isinstance(value, str):
            try:
                value = shlex.split(value)
            except ValueError:
                raise ValueError(allowed) from None
        if not isinstance(value, list | tuple) or not value or not all(isinstance(word, str) for word in value):
            raise ValueError(allowed)
        return tuple(value)

    def write(self, value: tuple[str, ...]) -> Any:
        return list(value)

    def schema(self) -> JsonSchemaValue:
        text = {"type": "string", "pattern": r"\S"}
        return {"anyOf": [text, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}


@dataclass(frozen=True)
class ExtraHosts(Notation):
    """Names and addresses, as a mapping or as Compose's list of `name:address` and `name=address`."""

    def read(self, value: object) -> tuple[tuple[str, str], ...]:
        if isinstance(value, list | tuple):
            told: dict[Any, tuple[str, Any]] = {index: _split(item) for index, item in enumerate(value)}
        elif isinstance(value, dict):
            told = {name: (str(name), address) for name, address in value.items()}
        else:
            allowed = "names with addresses, such as {mail: 10.0.0.5}; host-gateway is this machine"
            raise ValueError(allowed)  # noqa: TRY004 - as above
        wrong = [key for key, (name, address) in told.items() if not (name and _is_address(address))]
        refuse(_wrong_host(key, value[key]) for key in wrong)
        return tuple(sorted((name, address.strip("[]")) for name, address in told.values()))

    def write(self, value: tuple[tuple[str, str], ...]) -> Any:
        return dict(value)

    def schema(self) -> JsonSchemaValue:
        text = {"type": "string", "pattern": r"\S"}
        return {"anyOf": [{"type": "object", "additionalProperties": text}, {"type": "array", "items": text}]}


def _wrong_host(key: str | int, found: object) -> Clash:
    such = "mail:10.0.0.5" if isinstance(key, int) else "10.0.0.5"
    return Clash((key,), shown(found), f"an address, such as {such}; host-gateway is this machine")


def _split(item: object) -> tuple[str, str]:
    name, _, address = str(item).partition("=" if "=" in str(item) else ":")
    return name, address


def _is_address(text: object) -> bool:
    if text == HOST_GATEWAY:
        return True
    try:
        ipaddress.ip_address(str(text).strip("[]"))
    except ValueError:
        return False
    return isinstance(text, str)


@dataclass(frozen=True)
class Ulimits(Notation):
    """Limits of a container's processes by name: a number for both, or {soft, hard}; -1 is no limit."""

    def read(self, value: object) -> tuple[tuple[str, int, int], ...]:
        if not isinstance(value, dict):
            raise ValueError("limits by name, such as {nofile: 65536}")  # noqa: TRY004 - as above
        refuse(wrong for name, amount in value.items() if (wrong := _wrong_limit(name, amount)))
        return tuple(sorted((name, *_both(amount)) for name, amount in value.items()))

    def write(self, value: tuple[tuple[str, int, int], ...]) -> Any:
        return {name: {"soft": soft, "hard": hard} for name, soft, hard in value}

    def schema(self) -> JsonSchemaValue:
        number = {"type": "integer", "minimum": -1}
        both = {
            "type": "object",
            "properties": {"soft": number, "hard": number},
            "required": ["soft", "hard"],
            "additionalProperties": False,
        }
        return {"type": "object", "additionalProperties": {"anyOf": [number, both]}}


def _wrong_limit(name: object, amount: object) -> Clash | None:
    if name not in LIMITS:
        return Clash((str(name),), shown(name), f"one of {', '.join(LIMITS)}", nearest(str(name), LIMITS))
    allowed = "a whole number, or {soft: 1024, hard: 65536}; -1 is no limit"
    try:
        soft, hard = _both(amount)
    except ValueError:
        return Clash((str(name),), shown(amount), allowed)
    return Clash((str(name),), f"soft {soft} above hard {hard}", allowed) if -1 < hard < soft else None


def _both(amount: object) -> tuple[int, int]:
    """The soft and the hard one; ValueError for what is no limit."""
    match amount:
        case {"soft": soft, "hard": hard, **rest} if not rest:
            numbers = (soft, hard)
        case _:
            numbers = (amount, amount)
    if not all(isinstance(one, int) and not isinstance(one, bool) and one >= -1 for one in numbers):
        raise ValueError("no limit")
    return numbers


class Contained(Part):
    """Keys of a service with `image`, in Docker's own words. They mean nothing to a process."""

    entrypoint: Annotated[tuple[str, ...], Words()] | None = Field(
        default=None,
        description="What the container starts with, and `command` follows it. Default: the image's ENTRYPOINT. With "
        "it the image's own CMD is left out, as in Docker.",
        examples=[["docker-entrypoint.sh"]],
    )
    user: Annotated[str, User()] | None = Field(
        default=None, description="Who it runs as. Default: as the image says.", examples=["1000:1000"]
    )
    working_dir: Annotated[str, _ABSOLUTE] | None = Field(
        default=None, description="Where it starts. Default: as the image says.", examples=["/app"]
    )
    cap_drop: tuple[Annotated[str, Capability()], ...] = Field(
        default=(), description="Rights that Docker gives and that it does not get.", examples=[["ALL"]]
    )
    cap_add: tuple[Annotated[str, Capability()], ...] = Field(
        default=(), description="Rights that it gets on top.", examples=[["NET_BIND_SERVICE"]]
    )
    read_only: bool = Field(
        default=False,
        strict=True,
        description="Its files cannot be written, but for those in `volumes` and `tmpfs`.",
        examples=[True],
    )
    tmpfs: tuple[Annotated[str, _MEMORY], ...] = Field(
        default=(), description="Folders that are kept in memory and end with the container.", examples=[["/run"]]
    )
    stop_signal: Annotated[str, Signal()] | None = Field(
        default=None,
        description="What it is asked to end by. Default: as the image says, else SIGTERM.",
        examples=["SIGQUIT"],
    )
    extra_hosts: Annotated[tuple[tuple[str, str], ...], ExtraHosts()] = Field(
        default=(),
        description="Names that it finds these addresses by; `host-gateway` is the machine, which every container "
        "knows as host.docker.internal.",
        examples=[{"mail": "10.0.0.5"}],
    )
    shm_size: Annotated[int, Size(least=1)] | None = Field(
        default=None, description="Size of /dev/shm. Default: 64M.", examples=["256M"]
    )
    ulimits: Annotated[tuple[tuple[str, int, int], ...], Ulimits()] = Field(
        default=(),
        description="Limits of its processes, each a number or `{soft, hard}`.",
        examples=[{"nofile": 65536}],
    )


def written_for_containers(service: Contained) -> list[str]:
    """The keys of `Contained` that a service has, in the order of the reference."""
    return [name for name, field in Contained.model_fields.items() if getattr(service, name) != field.default]
