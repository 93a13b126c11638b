"""Projects in JavaScript and TypeScript: what their package.json or deno.json starts and builds."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from crossfade.file.init.guess.found import LOCAL, GuessedService, process, text
from crossfade.file.init.todo import Rank, Todo

_INSTALLS = {
    "pnpm-lock.yaml": ("pnpm install --frozen-lockfile", "pnpm"),
    "yarn.lock": ("yarn install --frozen-lockfile", "yarn"),
    "bun.lockb": ("bun install --frozen-lockfile", "bun"),
    "bun.lock": ("bun install --frozen-lockfile", "bun"),
    "package-lock.json": ("npm ci", "npm"),
}
LOCKS = tuple(_INSTALLS)  # the one that counts first
_LATER_YARN = re.compile(r"yarn@([2-9]|\d\d)")
# What a framework's build starts by itself, where no script of the package says so.
_SERVERS = {
    "nuxt": "node .output/server/index.mjs",
    "@sveltejs/adapter-node": "node build",
    "@astrojs/node": "node dist/server/entry.mjs",
}
# Where a framework's build leaves the files of a page; all others have dist.
_PLACES = {
    "react-scripts": "build",
    "@docusaurus/core": "build",
    "@sveltejs/adapter-static": "build",
    "gatsby": "public",
    "@11ty/eleventy": "_site",
    "nuxt": ".output/public",
}
# A `start` that serves a page to who writes it: slow, at a port of its own, and not what its build leaves.
_FOR_DEVELOPERS = re.compile(
    r"\b(astro|nuxt|nuxi|next|remix|gatsby|svelte-kit|vinxi) (dev|develop)\b|\bvite( (dev|serve|-).*)?$"
    r"|\b(react-scripts|docusaurus) start\b|\b(vue-cli-service|ng|webpack) serve\b|\bwebpack-dev-server\b"
)
_SVELTE = "@sveltejs/kit"
_PRISMA = Todo(
    Rank.ASSUMED, "hooks.migrate", "write hooks: {migrate: npx prisma migrate deploy} when the app has a database"
)


def node(folder: Path) -> GuessedService | None:
    """package.json with something to start; a build script runs once per release."""
    package = package_of(folder)
    scripts, needs = _scripts(package), _mapping(package.get("dependencies"))
    install, tool = installs(folder)
    build = f"{install} && {tool} run build" if "build" in scripts else install
    todos = (_PRISMA,) if {"prisma", "@prisma/client"} & _all_needs(package) else ()

    def by(command: str, why: str) -> GuessedService:
        return process("Node", command, f"from {why}", build=build, todos=todos)

    if "next" in needs and "next start" in str(scripts.get("start", "next start")):
        return by("npx next start -H 127.0.0.1 -p $PORT", "package.json and next")
    if script := next((name for name in ("start:prod", "start") if name in scripts), ""):
        start = f"{tool} start" if script == "start" and tool != "bun" else f"{tool} run {script}"
        return by(start, "package.json; it must listen on $PORT")
    if (server := _server(package)) and "build" in scripts:
        return by(f"HOST={LOCAL} {_SERVERS[server]}", f"package.json and {server}")
    if _SVELTE in _all_needs(package) and "@sveltejs/adapter-static" not in _all_needs(package) and "build" in scripts:
        adapter = "install @sveltejs/adapter-node and name it in svelte.config.js: the command starts what it builds"
        made = by(f"HOST={LOCAL} node build", "package.json and SvelteKit")
        return replace(made, todos=(Todo(Rank.NOTHING_RUNS, "command", adapter), *made.todos))
    main = package.get("main")
    if needs and isinstance(main, str) and (folder / main).is_file():
        return by(f"node {main}", "main in package.json; it must listen on $PORT")
    return None


def deno(folder: Path) -> GuessedService | None:
    """deno.json with a task that starts it."""
    tasks = _mapping(_read(folder / "deno.json").get("tasks"))
    if "start" not in tasks:
        return None
    build = "deno task build" if "build" in tasks else ""
    return process("Deno", "deno task start", "from deno.json; it must listen on $PORT", build=build)


def built_page(folder: Path) -> tuple[str, str] | None:
    """The build of a page that is only files, and the folder where they end up; None when it is none."""
    package = package_of(folder)
    scripts = _scripts(package)
    if "build" not in scripts or "start" in scripts or _server(package):
        return None
    install, tool = installs(folder)
    needs = _all_needs(package)
    place = next((place for name, place in _PLACES.items() if name in needs), "dist")
    if "@angular/core" in needs:
        place = f"dist/{package.get('name', '')}/browser"
    return f"{install} && {tool} run build", place


def in_workspace(part: GuessedService, folder: Path, place: str) -> GuessedService:
    """A part of a workspace as it is built and started from the workspace's root, where its lock and its parts are."""
    install, tool = installs(folder)
    lines = {key: (value, why) for key, value, why in part.lines}
    build, command = lines.get("build", ("", ""))[0], lines["command"][0]
    if " run build" in build:
        turbo = "turbo" in _all_needs(package_of(folder))
        each = f"cd {place} && {tool} run build"
        build = f"npx turbo run build --filter=./{place}" if turbo else each
        build = f"pnpm --filter ./{place}... run build" if tool == "pnpm" else build
        build = f"{install} && {build}"
    else:
        build = install
    return process(part.what, f"cd {place} && {command}", lines["command"][1], build=build, todos=part.todos)


def is_workspace(folder: Path) -> bool:
    """True for the root of several packages that are installed together, by the one lock that is there."""
    locked = any((folder / lock).exists() for lock in LOCKS)
    return (locked and bool(package_of(folder).get("workspaces"))) or (folder / "pnpm-workspace.yaml").exists()


def package_of(folder: Path) -> dict[str, Any]:
    """package.json; empty when there is none, or when it is none."""
    return _read(folder / "package.json")


def installs(folder: Path) -> tuple[str, str]:
    """What installs the packages, and the tool that it is: by the lock, else by what package.json names."""
    named = str(package_of(folder).get("packageManager") or "")
    unlocked = {tool: (f"{tool} install", tool) for tool in ("pnpm", "yarn", "bun")}
    default = unlocked.get(named.partition("@")[0], ("npm install", "npm"))
    install, tool = next((how for lock, how in _INSTALLS.items() if (folder / lock).exists()), default)
    later = tool == "yarn" and (_LATER_YARN.match(named) or (folder / ".yarnrc.yml").exists())
    return install.replace("--frozen-lockfile", "--immutable") if later else install, tool


def _server(package: dict[str, Any]) -> str:
    """The framework whose build is a server; empty for one that makes files."""
    needs, build = _all_needs(package), str(_mapping(package.get("scripts")).get("build", ""))
    return "" if "generate" in build else next((name for name in _SERVERS if name in needs), "")


def _scripts(package: dict[str, Any]) -> dict[str, Any]:
    """Those that may run in a release."""
    scripts = _mapping(package.get("scripts"))
    return {name: line for name, line in scripts.items() if name != "start" or not _FOR_DEVELOPERS.search(str(line))}


def _read(file: Path) -> dict[str, Any]:
    """The mapping in a file of JSON; empty when there is none."""
    try:
        return _mapping(json.loads(text(file)))
    except (ValueError, RecursionError):
        return {}


def _all_needs(package: dict[str, Any]) -> set[str]:
    return {name for key in ("dependencies", "devDependencies") for name in _mapping(package.get(key))}


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
