"""A Dockerfile as it is read: base, ports, what it runs, how it is checked."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from crossfade.file.reading.interpolation import fill

_INSTRUCTION = re.compile(r"\s*([A-Za-z]+)\s+(.*)", re.DOTALL)
_FROM = re.compile(r"(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?\s*", re.IGNORECASE)
_PAIR = re.compile(r"""([A-Za-z_]\w*)=("(?:[^"\\]|\\.)*"|'[^']*'|\S*)""")
_OPTION = re.compile(r"([a-z-]+)=([^,\s]+)")
_LARGEST_PORT = 65535


@dataclass(frozen=True)
class Dockerfile:
    """The stage that becomes the image.

    `entrypoint` and `command` are lists of words (exec form), the text for a shell, or None where it says nothing;
    `check` is the command of its HEALTHCHECK, `lines` has where an instruction stands.
    """

    base: str = ""
    ports: tuple[int, ...] = ()
    entrypoint: list[str] | str | None = None
    command: list[str] | str | None = None
    check: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)


def read_dockerfile(path: Path, target: str = "") -> Dockerfile | None:
    """The last stage of the file, or the one that is called `target`; None when there is no such file."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return parse_dockerfile(text, target)


def parse_dockerfile(text: str, target: str = "") -> Dockerfile:
    """As `read_dockerfile`, for the file's text."""
    stages: dict[str, Dockerfile] = {}
    here, args = Dockerfile(), dict[str, str]()
    for line, name, rest in _instructions(text):
        if name == "ARG":
            variable, _, default = rest.strip().partition("=")
            args[variable] = _filled(default.strip("\"'"), args)
        elif name == "FROM" and (match := _FROM.fullmatch(rest)):
            if target and target in stages:
                break
            base = _filled(match[1], args)
            here = stages.get(base, Dockerfile(base=base))
            stages[match[2] or f"stage {len(stages)}"] = here
        else:
            here = _told(here, name, rest, args, line)
            if stages:
                stages[list(stages)[-1]] = here
    return stages.get(target, here)


def copied(text: str) -> list[str]:
    """What a build takes from its folder, by the words of COPY, ADD and RUN --mount=type=bind."""
    found = list[str]()
    for _, name, rest in _instructions(text):
        if name in ("COPY", "ADD") and "--from=" not in rest and "<<" not in rest:
            form = _form(re.sub(r"^(--\S+\s+)*", "", rest))
            words = form if isinstance(form, list) else form.split()
            found += [word for word in words[:-1] if "://" not in word]
        elif name == "RUN":
            mounts = [dict(_OPTION.findall(mount)) for mount in re.findall(r"--mount=(\S+)", rest)]
            found += [
                one["source"] for one in mounts if one.get("type") == "bind" and "source" in one and "from" not in one
            ]
    return found


def workdirs(text: str) -> list[str]:
    """Where its commands run."""
    return [rest.strip("\"' ").rstrip("/") for _, name, rest in _instructions(text) if name == "WORKDIR"]


def _told(here: Dockerfile, name: str, rest: str, args: Mapping[str, str], line: int) -> Dockerfile:
    known = {**args, **here.env}
    lines = {**here.lines, name: line}
    if name == "EXPOSE":
        ports = [int(port) for port in re.findall(r"(?<!\S)([0-9]{1,5})(?:/tcp)?(?!\S)", _filled(rest, known))]
        good = tuple(port for port in ports if 1 <= port <= _LARGEST_PORT)
        return replace(here, ports=(*here.ports, *good), lines=lines)
    if name == "ENV":
        return replace(here, env={**here.env, **_pairs(rest, known)})
    if name == "ENTRYPOINT":
        return replace(here, entrypoint=_form(rest), command=None, lines=lines)
    if name == "CMD":
        return replace(here, command=_form(rest), lines=lines)
    if name == "HEALTHCHECK":
        match = re.search(r"\bCMD\s+(.*)", rest, re.DOTALL)
        form = _form(match[1]) if match else ""
        return replace(here, check=form if isinstance(form, str) else shlex.join(form), lines=lines)
    return here


def _pairs(rest: str, known: Mapping[str, str]) -> dict[str, str]:
    """`NAME=value OTHER="two words"`, or the older `NAME value`."""
    if re.match(r"[A-Za-z_]\w*\s", rest):
        name, _, value = rest.partition(" ")
        return {name: _filled(value.strip(), known)}
    return {name: _filled(value.strip("\"'"), known) for name, value in _PAIR.findall(rest)}


def _form(rest: str) -> list[str] | str:
    """A JSON list of words, or the text that a shell gets."""
    text = rest.strip()
    if text.startswith("["):
        try:
            words: Any = json.loads(text)
        except (ValueError, RecursionError):
            return text
        if isinstance(words, list):
            return [str(word) for word in words]
    return text


def _instructions(text: str) -> Iterator[tuple[int, str, str]]:
    """(line, INSTRUCTION, what follows), with continued lines joined and comments left out."""
    joined, begin = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or (joined and not line.strip()):
            continue
        begin = begin if joined else number
        if line.rstrip().endswith("\\"):
            joined += line.rstrip()[:-1] + " "
            continue
        match = _INSTRUCTION.fullmatch(joined + line)
        joined = ""
        if match:
            yield begin, match[1].upper(), match[2].strip()


def _filled(text: str, known: Mapping[str, str]) -> str:
    try:
        return fill(text, known).text
    except ValueError:
        return text
