"""The ending of a task of ECS: why it is no more, in our words, and whether that speaks against its release.

ECS's own: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
"""

import re
from dataclasses import dataclass

from crossfade.platforms.aws.clients import Answer

_KILLED = 137  # 128 and SIGKILL: what a container that took too much memory ends with
# What the platform, and not the release, has too little of or does not reach.
_NOT_ITS_OWN = re.compile(
    r"capacity is unavailable|capacity provider|RESOURCE:|AGENT|timeout waiting for network interface|eni provisioning"
    r"|i/o timeout|context deadline exceeded|connection reset|toomanyrequests|rate limit|InternalError|internal error"
    r"|unable to assume the role|spot",
    re.IGNORECASE,
)
_UNPLACED = re.compile(r"was unable to place a task(?:\. Reason:| because) (?P<why>.+?)(?:\. For more information.*)?$")
_PLATFORM = re.compile(r"descriptor matching platform '(?P<wanted>[^']+)'", re.IGNORECASE)
_NO_IMAGE = re.compile(r"not ?found|manifest unknown|does not exist|no such image", re.IGNORECASE)
_MAY_NOT = re.compile(r"access ?denied|not authorized|unauthorized|403|denied", re.IGNORECASE)
_ANOTHER_MACHINE = re.compile(r"exec format error", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEnding:
    """`died`: it ended by itself or never began; else ECS took it away because fewer were wanted."""

    died: bool
    detail: str = ""
    blamed: bool = True


LEFT = TaskEnding(died=False, blamed=False)


def ending(task: Answer, container: str, last_line: str = "", health: str = "") -> TaskEnding:
    """How a task ends or ended whose desired status is STOPPED.

    `last_line` is what it wrote last, `health` what the load balancer last said of it.
    """
    code, reason = task.get("stopCode", ""), task.get("stoppedReason", "")
    match code:
        case "UserInitiated":
            return TaskEnding(died=True, detail=f"was stopped by somebody: {reason}".rstrip(": "), blamed=False)
        case "SpotInterruption" | "TerminationNotice":
            return TaskEnding(died=True, detail="was taken away by AWS: it ran on spare capacity", blamed=False)
        case "TaskFailedToStart":
            return _never_started(reason)
    if "health checks" in reason:
        whose = f"the load balancer's checks failed: {health}" if "ELB" in reason else "its own health check failed"
        return TaskEnding(died=True, detail=f"was replaced: {whose}".rstrip(": "))
    return LEFT if code == "ServiceSchedulerInitiated" else _exited(task, container, reason, last_line)


def unplaced(event: str) -> str:
    """Why ECS could not even begin a task, as an event of its service says it; empty for any other event.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
    """
    found = _UNPLACED.search(event)
    return f"ECS could not place a task: {found['why'].strip().rstrip('.')}" if found else ""


def _never_started(reason: str) -> TaskEnding:
    blamed = _NOT_ITS_OWN.search(reason) is None
    detail = f"never started: {_plain(reason)}"
    if "CannotPullContainer" in reason or "CannotPullImage" in reason:
        platform = _PLATFORM.search(reason)
        if platform:
            detail = f"never started: its image has no version for {platform['wanted']}"
        elif _NO_IMAGE.search(reason) and blamed:
            detail = f"never started: its image was not found: {_plain(reason)}"
        elif _MAY_NOT.search(reason):
            detail = f"never started: its role may not pull the image: {_plain(reason)}"
        else:
            detail = f"never started: its image could not be pulled: {_plain(reason)}"
    elif "secret" in reason.lower():
        detail = f"never started: a secret of it could not be read: {_plain(reason)}"
    return TaskEnding(died=True, detail=detail, blamed=blamed)


def _exited(task: Answer, container: str, reason: str, last_line: str) -> TaskEnding:
    ours: Answer = next((one for one in task.get("containers", ()) if one["name"] == container), {})
    why, code = ours.get("reason", ""), ours.get("exitCode")
    said = f": {last_line}" if last_line else ""
    if "OutOfMemory" in why or (code == _KILLED and "memory" in why.lower()):
        return TaskEnding(died=True, detail="was killed: it took more memory than `resources.memory` allows")
    if code is None:
        return TaskEnding(died=True, detail=f"ended: {_plain(why or reason)}{said}".rstrip(": "))
    if _ANOTHER_MACHINE.search(f"{why} {last_line}"):
        return TaskEnding(
            died=True, detail="its image is for a different architecture from `cloud.compute.architecture`"
        )
    return TaskEnding(died=True, detail=f"exited with code {code}{said}")


def _plain(reason: str) -> str:
    """Without the name of the error, which its sentence explains."""
    _, colon, rest = reason.partition("Error: ")
    return (rest if colon else reason).strip().rstrip(".")
