"""Crons of a Compose project: what runs by the clock, by labels of ofelia and in crontabs, as jobs of ours."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossfade import cron
from crossfade.file.init.compose.judge.features import command_line
from crossfade.file.init.compose.source.mounts import mounts_of
from crossfade.paths import from_folder
from crossfade.source.there import is_file

_LABEL = re.compile(r"ofelia\.job-exec\.([^.]+)\.(schedule|command)")
_OTHER_LABEL = re.compile(r"ofelia\.job-(?:run|local|service-run)\.([^.]+)\.")
_WORDS: Mapping[str, str] = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_EVERY = re.compile(r"@every ([0-9]+)(m|h)(?:0s|0m0s)?")
_UNITS: Mapping[str, tuple[int, str]] = {"m": (60, "*/{} * * * *"), "h": (24, "0 */{} * * *")}
_ENTRY = re.compile(r"\s*(@\w+|(?:\S+\s+){4}\S+)\s+(\S.*)")
_FIVE, _SIX = 5, 6  # words of a schedule; with six the first one is of seconds


@dataclass(frozen=True)
class FoundCron:
    """A command by the clock: `schedule` as it was written, `why` empty where it is one of ours too."""

    name: str
    command: str
    schedule: str
    written: str


def schedule_of(text: str) -> str:
    """Five words of cron that mean the same; empty where none do, as for seconds."""
    text = " ".join(text.split())
    words = text.split(" ")
    if every := _EVERY.fullmatch(text):
        whole, form = _UNITS[every[2]]
        number = int(every[1])
        return form.format(number).replace("*/1 ", "* ") if number and whole % number == 0 and number < whole else ""
    if text in _WORDS:
        return _WORDS[text]
    if len(words) == _SIX:
        if words[0] != "0":
            return ""
        words = words[1:]
    found = " ".join(words).replace("?", "*")
    return found if len(words) == _FIVE and not cron.complaint(found, "UTC") else ""


def from_labels(labels: Any) -> Iterator[FoundCron]:
    """What ofelia would run in the container that has these labels."""
    told: dict[str, dict[str, str]] = {}
    for name, value in labels.items() if isinstance(labels, dict) else ():
        if match := _LABEL.fullmatch(str(name)):
            told.setdefault(match[1], {})[match[2]] = str(value)
    for name, one in told.items():
        if "schedule" in one and "command" in one:
            yield FoundCron(name, one["command"], schedule_of(one["schedule"]), one["schedule"])


def elsewhere(labels: Any) -> list[str]:
    """The jobs that ofelia would run in a container of their own, or beside itself, by these labels."""
    found = (_OTHER_LABEL.match(str(name)) for name in (labels if isinstance(labels, dict) else ()))
    return list(dict.fromkeys(match[1] for match in found if match))


def from_crontab(service: Mapping[str, Any], folder: Path) -> list[FoundCron]:
    """The lines of the crontab that a scheduler is given, where that is a file of the project; else nothing."""
    for path in _crontabs(service, folder):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        entries = [_ENTRY.fullmatch(line) for line in lines if line.strip() and not line.lstrip().startswith("#")]
        found = [
            FoundCron(f"cron-{number}", match[2], schedule_of(match[1]), match[1])
            for number, match in enumerate(entries, 1)
            if match
        ]
        if found and len(found) == len(entries):  # one with a line that is none of these keeps its program
            return found
    return []


def _crontabs(service: Mapping[str, Any], folder: Path) -> Iterator[Path]:
    for mount in mounts_of(dict(service)):
        there = from_folder(folder, mount.source)
        if mount.kind == "bind" and "cron" in f"{mount.source}{mount.target}" and is_file(there):
            yield there
    build = service.get("build")
    context = str(build.get("context") or ".") if isinstance(build, dict) else ""
    if context and "supercronic" in command_line(dict(service)):
        named = Path(command_line(dict(service)).split()[-1]).name
        if is_file(there := from_folder(folder, context) / named):
            yield there
