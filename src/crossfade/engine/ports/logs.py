"""Logs: what can be asked of them, and the lines that they answer with."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Writer(StrEnum):
    """Who writes a log."""

    INSTANCE = "instance"
    BUILD = "build"
    HOOK = "hook"
    JOB = "job"


INSTANCES = frozenset({Writer.INSTANCE})


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """`lines` are the last of each writer, those since `since` where that is given; `instance` is one alone, by its id.

    `writers` says whose: of instances those that are there, of builds, hooks and jobs the newest, all since `since`.
    """

    instance: str | None = None
    writers: Collection[Writer] = INSTANCES
    lines: int = 100
    since: float | None = None
    follow: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Said:
    """A line of a log, when it was written, and by whom: an instance, a build, a hook or a run of a job."""

    at: float
    writer: str
    line: str


def writer_of(name: str, service: str) -> Writer:
    """What is called so in the logs of `app/service`: shop-web-7-x3f9, build-..., hook-7-..., job-tidy-7-..."""
    if name.startswith(f"{service.replace('/', '-')}-"):
        return Writer.INSTANCE
    first = name.partition("-")[0]
    return Writer(first) if first in ("build", "hook", "job") else Writer.INSTANCE
