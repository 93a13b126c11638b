"""A revision: the source as a zip, with the appspec at its top and the hooks that this names; the same for the same.

https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file.html
"""

import hashlib
import io
import stat
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from crossfade.core.errors import WrongInputError
from crossfade.source.folder import belonging
from crossfade.source.listing import listing
from crossfade.source.whole import WholeSource

APPSPEC = "appspec.yml"
HOOKS = (
    "ApplicationStop",
    "BeforeInstall",
    "AfterInstall",
    "ApplicationStart",
    "ValidateService",
)
_OF_BALANCERS = ("BeforeBlockTraffic", "AfterBlockTraffic", "BeforeAllowTraffic", "AfterAllowTraffic")
_LONGEST = 3600  # seconds: of all scripts of one event together
_EVER = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
_EXECUTABLE, _PLAIN = 0o100755, 0o100644


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """`content` is the zip; `name` says what is in it, and nothing of when it was made."""

    content: bytes
    version: str
    git_sha: str

    @property
    def name(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def packed(source: Path, beside: Mapping[str, str]) -> Revision:
    """The source's own appspec and scripts count before those `beside` it, which are texts by path.

    WrongInputError for a source that is not there, and for a revision that CodeDeploy could not bring.
    """
    if not source.is_dir():
        raise WrongInputError(f"{source}: no such folder", "`source` names the folder with the app")
    found = listing(WholeSource(source))
    files = dict(_read(source, found.files))
    if APPSPEC not in files:
        files |= {path: (_PLAIN if path == APPSPEC else _mode(path), text.encode()) for path, text in beside.items()}
    _require_appspec(source, files)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path, (mode, content) in sorted(files.items()):
            entry = zipfile.ZipInfo(path, _EVER)
            entry.external_attr, entry.create_system = mode << 16, 3  # as Unix
            entry.compress_type = zipfile.ZIP_DEFLATED
            zipped.writestr(entry, content)
    commit = found.commit()
    return Revision(
        content=made.getvalue(), version=commit.version if commit else "", git_sha=commit.sha if commit else ""
    )


def _read(source: Path, listed: list[str] | None) -> Iterator[tuple[str, tuple[int, bytes]]]:
    for path, info in belonging(source, listed):
        if info is None or stat.S_ISDIR(info.st_mode):
            continue
        if stat.S_ISLNK(info.st_mode):
            yield path, (info.st_mode, str((source / path).readlink()).encode())
        elif stat.S_ISREG(info.st_mode):
            mode = _EXECUTABLE if info.st_mode & stat.S_IXUSR else _PLAIN
            yield path, (mode, (source / path).read_bytes())


def _mode(path: str) -> int:
    return _EXECUTABLE if path.endswith(".sh") else _PLAIN


def _require_appspec(source: Path, files: Mapping[str, tuple[int, bytes]]) -> None:
    """One sentence here, where each host would fail one after the other."""
    if APPSPEC not in files:
        raise WrongInputError(
            f"{source} has no {APPSPEC}, and CodeDeploy brings no revision without one",
            f"put {APPSPEC} at the top of the source, or take it from `crossfade infra generate`",
        )
    where = source / APPSPEC
    try:
        said: Any = yaml.safe_load(files[APPSPEC][1])
    except (yaml.YAMLError, RecursionError) as error:
        raise WrongInputError(f"{where} is not YAML: {' '.join(str(error).split())}", "mend it") from error
    if not isinstance(said, dict) or said.get("version") not in (0, 0.0) or said.get("os") != "linux":
        raise WrongInputError(
            f"{where} is not one for hosts with Linux", "it begins with `version: 0.0` and `os: linux`"
        )
    hooks = said.get("hooks") or {}
    for event, scripts in hooks.items() if isinstance(hooks, dict) else [(str(hooks), [])]:
        if event not in (*HOOKS, *_OF_BALANCERS):
            raise WrongInputError(f"{where}: hooks: {event} is not an event", f"one of {', '.join(HOOKS)}")
        _require_scripts(where, event, scripts, files)


def _require_scripts(where: Path, event: str, scripts: Any, files: Mapping[str, tuple[int, bytes]]) -> None:
    whole = 0
    for script in scripts if isinstance(scripts, list) else [scripts] if scripts else []:
        said = script if isinstance(script, dict) else {}
        location = str(said.get("location") or "")
        if location.removeprefix("./") not in files:
            raise WrongInputError(
                f"{where}: hooks: {event}: location {location or '(none)'} is not in the revision",
                "a path from the top of the source, of a file that git does not ignore",
            )
        limit = str(said.get("timeout") or _LONGEST)
        if not limit.isdecimal():
            raise WrongInputError(f"{where}: hooks: {event}: timeout: found {limit}", "whole seconds, such as 300")
        whole += int(limit)
    if whole > _LONGEST:
        raise WrongInputError(
            f"{where}: hooks: {event}: its scripts may take {whole} s together",
            f"{_LONGEST} s at most, which is also what a script may take that says no `timeout`",
        )
