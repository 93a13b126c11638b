"""The values of secrets for a deploy: from this shell, files, commands, env_files and `.env`; none is ever shown."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crossfade.core.errors import WrongInputError
from crossfade.paths import from_folder

Json = Mapping[str, Any]
LIMIT = 60.0  # seconds for a command that prints a secret: time to unlock a vault with a finger


@dataclass
class FoundValues:
    """What was found by service, and which source failed and why."""

    found: dict[str, dict[str, str]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


def values_of(wanted: Json, *, commands: bool = True) -> FoundValues:
    """The values of the secrets of all services that are to be deployed.

    For each name: this shell, its own file, command or text, the service's env_file, `.env` beside the file, in this
    order; what is only in an env_file is taken from there. A command runs once, whoever asks for what it prints, and
    without `commands` never: it may ask somebody for a finger.
    """
    values = FoundValues()
    printed: dict[tuple[str, str], str | None] = {}
    for service in wanted["services"]:
        sources = wanted["sources"][service["name"]]
        held, dotenv = _held(sources) if service["secrets"] else ({}, {})
        for name in service["secrets"]:
            source = sources["secrets"].get(name) or {}
            if name in sources["from_files"]:
                value = held.get(name)
            elif name in os.environ:
                value = os.environ[name]
            elif source.get("file"):
                value = _of_file(name, Path(sources["folder"]), source["file"], values.failed)
            elif source.get("value"):
                value = _made(source["value"], {**dotenv, **os.environ})
            elif source.get("command"):
                printing = (name, sources["folder"], source["command"], printed, values.failed)
                value = _printed(*printing) if commands else None
            else:
                value = held.get(name, dotenv.get(name))
            if value is not None:
                values.found.setdefault(service["name"], {})[name] = value
    return values


def given(wanted: Json) -> tuple[list[dict[str, Any]], dict[str, Mapping[str, str]]]:
    """The services as they are deployed, without optional secrets that have no value, and the values by app/service.

    What has no value here may be known from an earlier deploy; that is for the controller to say. Raises
    WrongInputError that names every source that failed.
    """
    values = values_of(wanted)
    if values.failed:
        raise WrongInputError(
            "; ".join(values.failed), "mend it, or set the variable in the environment of this deploy"
        )
    services = [dict(service) for service in wanted["services"]]
    for service in services:
        mine = values.found.get(service["name"], {})
        optional = {
            name for name, source in wanted["sources"][service["name"]]["secrets"].items() if source.get("optional")
        }
        service["secrets"] = [name for name in service["secrets"] if name in mine or name not in optional]
    return services, {f"{one['app']}/{one['name']}": values.found.get(one["name"], {}) for one in services}


def lacking(wanted: Json) -> dict[str, dict[str, str]]:
    """By app/service, of secrets that are made of others: the variables that are set nowhere, with why they must be."""
    from crossfade.file.reading.interpolation import fill

    found: dict[str, dict[str, str]] = {}
    for service in wanted["services"]:
        sources = wanted["sources"][service["name"]]
        for name, source in sources["secrets"].items():
            if source.get("value") and name not in os.environ:
                _, dotenv = _held(sources)
                filled = fill(source["value"], {**dotenv, **os.environ}, bare=False)
                said = [*filled.unset, *(f"{each}: {why}" if why else each for each, why in filled.required)]
                if said:
                    found.setdefault(f"{service['app']}/{service['name']}", {})[name] = ", ".join(said)
    return found


def addresses(channels: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """Who is told, each with its address from this shell or from `.env` in the file's folder; empty where none is."""
    from crossfade.file.reading.dotenv import read_variables

    if not channels:
        return []
    dotenv = read_variables(folder / ".env", ".env", os.environ) if (folder / ".env").is_file() else {}
    return [{**one, "url": os.environ.get(one["secret"], dotenv.get(one["secret"], ""))} for one in channels]


def _held(sources: Json) -> tuple[dict[str, str], dict[str, str]]:
    """What the env_files of a service hold, later ones over earlier ones, and what `.env` beside the file does."""
    from crossfade.file.reading.dotenv import read_variables

    folder = Path(sources["folder"])
    dotenv = read_variables(folder / ".env", ".env", os.environ) if (folder / ".env").is_file() else {}
    held: dict[str, str] = {}
    for path in sources["files"]:
        held.update(read_variables(from_folder(folder, path), path, {**dotenv, **os.environ}))
    return held, dotenv


def _of_file(name: str, folder: Path, path: str, failed: list[str]) -> str | None:
    try:
        return from_folder(folder, path).read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        failed.append(f"the secret {name} cannot be read from {path}: {reason}")
        return None


def _made(text: str, variables: Mapping[str, str]) -> str | None:
    """A text with its variables filled in; None where one of them is set nowhere."""
    from crossfade.file.reading.interpolation import fill

    filled = fill(text, variables, bare=False)
    return None if filled.unset or filled.required else filled.text


def _printed(
    name: str, folder: str, command: str, printed: dict[tuple[str, str], str | None], failed: list[str]
) -> str | None:
    """What a command prints, without the last line break. Its errors and questions go to this terminal."""
    if (folder, command) not in printed:
        printed[folder, command] = None
        try:
            done = subprocess.run(  # noqa: S602 - a command of the user's own file, as its other commands are
                command, shell=True, cwd=folder, stdout=subprocess.PIPE, timeout=LIMIT, check=True
            )
            printed[folder, command] = done.stdout.decode().removesuffix("\n")
        except subprocess.CalledProcessError as error:
            failed.append(f"the secret {name}: its command ended with {error.returncode}")
        except subprocess.TimeoutExpired:
            failed.append(f"the secret {name}: its command did not end within {LIMIT:.0f} s")
        except UnicodeDecodeError:
            failed.append(f"the secret {name}: its command did not print UTF-8 text")
    return printed[folder, command]
