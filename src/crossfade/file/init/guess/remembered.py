"""What a guessed build keeps for the next one, and what it depends on where that is all."""

import re
from pathlib import Path

from crossfade.file.init.guess.found import in_flow, text
from crossfade.file.init.guess.javascript import LOCKS, is_workspace, package_of
from crossfade.source import git

_PIP = re.compile(r"python3 -m venv \.venv && \.venv/bin/python -m pip install -r (\S+)")
_KEPT = (
    ("python3 -m venv .venv", ".venv"),
    ("uv sync", ".venv"),
    ("POETRY_VIRTUALENVS_IN_PROJECT=1 poetry", ".venv"),
    ("npm install", "node_modules"),
    ("pnpm install", "node_modules"),
    ("yarn install", "node_modules"),
    ("bun install", "node_modules"),
    ("bundle ", "vendor/bundle"),
    ("composer install", "vendor"),
    ("cargo build", "target"),
    ("mix local.hex", "deps, _build"),
)
_INSTALLS = re.compile(r"(npm ci|(npm|pnpm|yarn|bun) install( --frozen-lockfile)?)")
_OWN_STEPS = frozenset({"preinstall", "install", "postinstall", "prepare", "prepublish"})


def lines(build: str, folder: Path) -> list[tuple[str, str, str]]:
    """`cache`, and `built_from` where the build does nothing but install what these files name."""
    files, known = _all_it_reads(build, folder), git.files(folder)
    if files and (known is None or set(files) <= set(known)):
        kept = "node_modules" if _INSTALLS.fullmatch(build) else ".venv"
        same = f"[{', '.join(map(in_flow, files))}]"
        return [
            ("cache", f"[{kept}]", "what the build leaves, for the next release"),
            ("built_from", same, "it is run again when this changes"),
        ]
    kept = next((place for begins, place in _KEPT if build.startswith(begins)), "")
    kept += ", node_modules" if kept == "vendor" and _INSTALLS.search(build) else ""
    return [("cache", f"[{kept}]", "what a build leaves for the next one")] if kept else []


def _all_it_reads(build: str, folder: Path) -> list[str]:
    """Empty when it may read anything: the source itself, scripts of a package, the packages of a workspace."""
    if match := _PIP.fullmatch(build):
        return _required(folder, match[1])
    if _INSTALLS.fullmatch(build) and not is_workspace(folder):
        scripts = package_of(folder).get("scripts")
        own = _OWN_STEPS & set(scripts if isinstance(scripts, dict) else ())
        lock = next((name for name in LOCKS if (folder / name).exists()), "")
        linked = re.search(r'"(file|link|workspace|portal):', text(folder / "package.json"))
        return ["package.json", lock] if lock and not own and not linked else []
    return []


def _required(folder: Path, name: str, known: tuple[str, ...] = ()) -> list[str]:
    """A list of requirements and those that it includes; empty when one of them names a folder or a file to install."""
    found = [name]
    for line in text(folder / name).splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] in ("-r", "-c", "--requirement", "--constraint") and len(words) > 1:
            inner = str((Path(name).parent / words[1]).as_posix())
            more = _required(folder, inner, (*known, name)) if inner not in (*known, name) else [inner]
            if not more or ".." in inner or not (folder / inner).is_file():
                return []
            found += more
        elif words[0].startswith((".", "/", "-e", "--editable", "file:")) or " @ file:" in line:
            return []
    return list(dict.fromkeys(found))
