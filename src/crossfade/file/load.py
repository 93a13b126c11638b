"""From a file to the application it describes."""

import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from crossfade.core.errors import WrongInputError
from crossfade.file.model import App, File, Settings
from crossfade.file.parts import making, volumes
from crossfade.file.parts.image import Build, is_remote
from crossfade.file.parts.service import NAME, Service
from crossfade.file.parts.store import Store
from crossfade.file.reading.document import Keys, Written, read, written
from crossfade.file.reading.problem import Problem, WrongFileError, nearest, shown
from crossfade.file.reading.variables import Filling, variables_beside
from crossfade.file.reading.wording import keys_of, problems
from crossfade.paths import from_folder
from crossfade.source.there import is_file, is_folder, why_no_file, why_no_folder

DEFAULT_ENVIRONMENT = "local"
# An environment is a part of the file; it cannot rename the application or contain further environments.
_ONLY_AT_THE_TOP = ("app", "environments", "environment")
_BUILDING = threading.Lock()  # models are built at their first use, and a controller reads several files at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """An application, where each of its values is written, and what it is in every environment of the file."""

    app: App
    document: Written
    environments: Mapping[str, App]


def load(
    path: Path | str,
    environment: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    *,
    called: str | None = None,
    variables: Mapping[str, str] | None = None,
) -> App:
    """The application as one environment wants it.

    `environment` is one of the file's; by default its only one, or the one called `local`. `overrides` are laid over
    everything, in the shape of the file: {"services": {"web": {"image": "acme/web:2"}}}. Every environment of the file
    is checked, not only the one that is asked for. Paths in the file stay relative to its folder. `called` is the
    file's name in messages, by default its path. `variables` are the shell's, by default this process's; only those of
    the environment that is asked for must have a value.

    Raises WrongInputError: no such file or environment, or (WrongFileError) everything that is wrong in the file.
    """
    loaded = load_whole(path, environment, called=called, variables=variables)
    if not overrides:
        return loaded.app
    app = _app(loaded.document.overlaid(written(dict(overrides), "command line")))
    if not isinstance(app, App):
        raise WrongFileError("command line", app)
    return app


def load_whole(
    path: Path | str,
    environment: str | None = None,
    *,
    called: str | None = None,
    variables: Mapping[str, str] | None = None,
) -> Loaded:
    """As `load`, for who also wants to know where something is written, or what other environments say.

    An environment whose variables have no value here is not among `environments`, unless it is the one that is chosen.
    """
    called = called or str(path)
    document = _document(path, called)
    try:
        chosen = choose(environments(document), environment, called)
    except WrongInputError:
        _all(Path(path), document, called, variables)  # what is wrong with the file is said first
        raise
    resolved, apps = _all(Path(path), document, called, variables, chosen)
    return Loaded(app=apps[chosen], document=resolved[chosen], environments=apps)


def load_every(
    path: Path | str, *, called: str | None = None, variables: Mapping[str, str] | None = None
) -> Mapping[str, App]:
    """The application as each environment of the file wants it, for who asks about all of them."""
    called = called or str(path)
    return _all(Path(path), _document(path, called), called, variables)[1]


def _document(path: Path | str, called: str) -> Written:
    document = read(Path(path), called)
    if found := list(_wrong_environments(document)):
        raise WrongFileError(called, found)
    return document


def _all(
    path: Path, document: Written, called: str, variables: Mapping[str, str] | None, chosen: str | None = None
) -> tuple[dict[str, Written], dict[str, App]]:
    """What the file says for each environment, and the application as each wants it."""
    values = variables_beside(path, os.environ if variables is None else variables)
    found: list[Problem] = []
    resolved: dict[str, Written] = {}
    apps: dict[str, App] = {}
    for name in environments(document) or [DEFAULT_ENVIRONMENT]:
        filling = Filling(values)
        settings = filling.filled(_resolved(document, name))
        found += filling.problems
        if filling.unset and chosen not in (None, name):
            continue  # that environment's variables are set where it is deployed from
        found += filling.unset
        found += _held_secrets(_resolved(document, name))
        app = _app(settings)
        found += _missing_files(app, settings, path.parent) if isinstance(app, App) else app
        if isinstance(app, App):
            resolved[name], apps[name] = settings, app
    if found:
        raise WrongFileError(called, found)
    return resolved, apps


def _held_secrets(settings: Written) -> Iterator[Problem]:
    """Each secret whose text stands in the file: what is not made of variables."""
    for section in ("services", "stores"):
        parts = settings.get(section)
        for part in parts.value.values() if parts is not None and isinstance(parts.value, dict) else ():
            secrets = part.get("secrets") if isinstance(part.value, dict) else None
            for secret in secrets.value.values() if secrets is not None and isinstance(secrets.value, dict) else ():
                text = secret.get("value") if isinstance(secret.value, dict) else None
                if text is not None and isinstance(text.value, str) and "${" not in text.value.replace("$${", ""):
                    allowed = "a text made of variables, such as postgres://app:${DB_PASSWORD}@db/shop"
                    yield Problem(text.place, "found a value without variables, which the file never holds", allowed)


def _missing_files(app: App, settings: Written, folder: Path) -> Iterator[Problem]:
    """Each `env_file`, Dockerfile and folder that must be there and is not."""
    parts: list[tuple[str, str, Service | Store]] = [("services", *one) for one in app.services.items()]
    parts += [("stores", *one) for one in app.stores.items()]
    for section, name, service in parts:
        for index, path, why, allowed in volumes.missing(service, folder) if app.platform == "local" else ():
            place = settings.at((section, name, "volumes", index)).place
            yield Problem(place, f"found {shown(path)}, {why}", allowed)
        for key, index, path, allowed in making.missing(service, folder) if isinstance(service, Service) else ():
            yield Problem(
                settings.at((section, name, key, index)).place, f"found {shown(path)}, which does not exist", allowed
            )
        if isinstance(service, Service) and (wrong := _missing_of_static(service, folder)):
            yield Problem(settings.at((section, name, *wrong[0])).place, f"found {wrong[1]}", wrong[2])
        build = service.image.build if service.image and app.platform == "local" else None
        if build and (missing := _missing_of(build, folder)):
            place = settings.at((section, name, "image", "build", missing[0])).place
            yield Problem(place, f"found {shown(missing[1])}, {missing[2]}", missing[3])
        for index, one in enumerate(service.env_file):
            if one.required and not is_file(file := from_folder(folder, one.path)):
                place = settings.at((section, name, "env_file", index)).place
                allowed = "an existing file, or {path: ..., required: false}"
                yield Problem(place, f"found {shown(one.path)}, {why_no_file(file)}", allowed)


def _missing_of_static(service: Service, folder: Path) -> tuple[tuple[str, ...], str, str] | None:
    """What of a static part is not in its source, where no build makes it: its key, what it says, what is allowed."""
    static = service.static
    if static is None or service.build or service.source is None:
        return None
    there = from_folder(folder, service.source) / static.folder
    if not is_folder(there):
        found = f"{shown(static.folder)}, {why_no_folder(there)}"
        return ("static",), found, "a folder below the source, or a build that makes it"
    if static.fallback and not is_file(there / static.fallback):
        found = f"{shown(static.fallback)}, which is not a file in {static.folder}"
        return ("static", "fallback"), found, "an existing page, such as index.html, or a build that makes it"
    return None


def _missing_of(build: Build, folder: Path) -> tuple[str, str, str, str] | None:
    """What an image cannot be built without: its key, what it says, what that is not, what is allowed."""
    if is_remote(build.context):
        return None
    context = from_folder(folder, build.context)
    if not is_folder(context):
        allowed = "a folder with a Dockerfile, relative to this file"
        return "context", build.context, why_no_folder(context), allowed
    dockerfile = build.dockerfile or "Dockerfile"
    if not is_file(context / dockerfile):
        allowed = f"a Dockerfile's path, relative to {build.context}"
        return "dockerfile", dockerfile, why_no_file(context / dockerfile), allowed
    return None


def environments(document: Written) -> list[str]:
    """The names of the environments that a file describes."""
    section = document.get("environments")
    return list(section.value) if section is not None and isinstance(section.value, dict) else []


def choose(names: list[str], wanted: str | None, file: str) -> str:
    """The environment that is meant: the wanted one, the only one, or `local`, which a file without any has too."""
    names = names or [DEFAULT_ENVIRONMENT]
    if wanted in names:
        return wanted
    if wanted is not None:
        meant = nearest(wanted, names)
        hint = f"did you mean {meant}? " if meant else ""
        raise WrongInputError(f'{file} has no environment "{wanted}"', f"{hint}it has {', '.join(names)}")
    if len(names) == 1:
        return names[0]
    if DEFAULT_ENVIRONMENT in names:
        return DEFAULT_ENVIRONMENT
    cause = f"{file} has the environments {', '.join(names)}, and none called {DEFAULT_ENVIRONMENT}"
    raise WrongInputError(cause, "say which with -e")


def _resolved(document: Written, environment: str) -> Written:
    """The file with one of its environments laid over it."""
    section = document.get("environments")
    different = section.get(environment) if section is not None else None
    resolved = document.without("environments").overlaid(written({"environment": environment}, document.place.file))
    return resolved.overlaid(different) if different is not None and different.value is not None else resolved


def _app(resolved: Written) -> App | list[Problem]:
    with _BUILDING:
        App.model_rebuild()
    try:
        return App.model_validate(resolved.plain(_as_typed))
    except ValidationError as error:
        return list(problems(error, resolved))


def _as_typed(keys: Keys) -> bool:
    """True for variables, versions and parameters, which are text whatever they look like: 1.10 is not 1.1."""
    match keys:
        case ("services" | "stores", _, "env", _) | ("cloud", "database", "parameters", _):
            return True
        case ("cloud", "database" | "cache", "version"):
            return True
        case _:
            return False


def _wrong_environments(document: Written) -> Iterator[Problem]:
    """What is wrong with environments before they can be laid over the file."""
    if (singular := document.get("environment")) is not None:
        allowed = f"one of {', '.join(keys_of(File))}"
        yield Problem(singular.place, 'unknown key "environment"', allowed, "environments")
    section = document.get("environments")
    if section is None or section.value is None:
        return
    if not isinstance(section.value, dict):
        allowed = "a mapping such as prod: {services: {web: {replicas: 4}}}"
        yield Problem(section.place, f"found {shown(section.plain())}", allowed)
        return
    for name, environment in section.value.items():
        yield from _wrong_environment(name, environment, document.get("services"))


def _wrong_environment(name: str, environment: Written, services: Written | None) -> Iterator[Problem]:
    try:
        NAME.read(name)
    except ValueError as error:
        yield Problem(environment.place, f"found {shown(name)}", str(error))
    if environment.value is not None and not isinstance(environment.value, dict):
        allowed = "a mapping of what is different there"
        yield Problem(environment.place, f"found {shown(environment.plain())}", allowed)
    for key in _ONLY_AT_THE_TOP:
        if (found := environment.get(key)) is not None:
            allowed = f"one of {', '.join(keys_of(Settings))}"
            yield Problem(found.place, f'unknown key "{key}"', allowed)
    known = list(services.value) if services is not None and isinstance(services.value, dict) else []
    different = environment.get("services")
    for service, node in different.value.items() if different and isinstance(different.value, dict) else ():
        if service not in known:
            found_text = f'found "{service}", which is not among the services above'
            yield Problem(node.place, found_text, f"one of {', '.join(known)}", nearest(service, known))
