"""Facts about the things to do that stand in a file: which are done, as far as file and machine show it."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from crossfade.file.init.todo import still_open
from crossfade.file.model import App, Service, Store
from crossfade.file.reading.interpolation import fill

_ASSUMED_PORT = 8080


def open_items(
    text: str, apps: Mapping[str, App], has_image: Callable[[str], bool | None], known: Collection[str]
) -> list[tuple[str, str]]:
    """(where, what) of all that is still to do before a deploy.

    `text` is the file, `apps` what it means in each environment; `has_image` says whether this machine has an image
    (None: nobody can tell), `known` are the variables that have a value here.
    """
    found: list[tuple[str, str]] = []
    for places, what in still_open(text):
        left = [where for where in places.split(", ") if not (_done(where, what, apps, has_image) or _set(what, known))]
        if left:
            found.append((", ".join(left), what))
    told = {where for places, _ in found for where in places.split(", ")}
    together: dict[str, list[str]] = {}
    for where, what in [*_facts(apps, known, told), *found]:
        together.setdefault(what, []).append(where)
    return [(", ".join(places), what) for what, places in together.items()]


def _set(what: str, known: Collection[str]) -> bool:
    """True when a variable that was set nowhere has a value here by now, as in a `.env` that came later."""
    told = re.search(r"without it (.+) stays? empty$|or write them to \.env: (.+)$", what)
    return told is not None and any(name in known for name in (told[1] or told[2]).split(", "))


def _done(where: str, what: str, apps: Mapping[str, App], has_image: Callable[[str], bool | None]) -> bool:
    """True when every environment shows that it is done; what cannot be seen stays until its line is deleted."""
    section, _, rest = where.partition(".")
    name, _, key = rest.partition(".")
    if section == "tls":
        return all(app.tls is not None for app in apps.values())
    if section == "stores":
        stores = [app.stores[name] for app in apps.values() if name in app.stores]
        return bool(stores) and all(_done_of_store(store, key, what, has_image) for store in stores)
    services = [app.services[name] for app in apps.values() if name in app.services]
    if section != "services" or not services:
        return False
    return all(_done_there(service, name, key, what, has_image) for service in services)


def _done_of_store(store: Store, key: str, what: str, has_image: Callable[[str], bool | None]) -> bool:
    if key == "image":
        return what.startswith("build it") and bool(has_image(store.image.name or ""))
    return key == "secrets" or (key == "env_file" and bool(store.env_file))


def _done_there(service: Service, name: str, key: str, what: str, has_image: Callable[[str], bool | None]) -> bool:
    section, _, variable = key.partition(".")
    if section == "env" and variable:
        return what.split(maxsplit=1)[0] not in service.env.get(variable, "")
    if key == "image":
        return what.startswith("build it") and bool(service.image is None or has_image(service.image.name or ""))
    seen = {
        "secrets": True,  # told by the facts, each variable by its name
        "health": "is assumed" in what and service.health.path != "/",
        "port": service.port != _ASSUMED_PORT,
        "routes": f"/{name}/*" not in {route.path for route in service.routes},
        "env_file": bool(service.env_file),
    }
    return seen.get(key, False)


def _facts(apps: Mapping[str, App], known: Collection[str], told: Collection[str]) -> Iterator[tuple[str, str]]:
    """What is to do whether a line says so or not."""
    said: set[tuple[str, str]] = set()
    for app in apps.values():
        parts: list[tuple[str, Service | Store]] = [(f"services.{name}", one) for name, one in app.services.items()]
        parts += [(f"stores.{name}", one) for name, one in app.stores.items()]
        for where, part in parts:
            for item in _of_part(where, part, known, app):
                if item[0] not in told and item not in said:
                    said.add(item)
                    yield item
        for name, channel in app.notify.items() if app.platform == "local" else ():
            if channel.secret not in known and (item := _to_export(f"notify.{name}", [channel.secret])) not in said:
                said.add(item)
                yield item


def _to_export(where: str, names: Sequence[str]) -> tuple[str, str]:
    brought = "it" if len(names) == 1 else "them"
    return where, f"export {', '.join(names)} before a deploy, unless an earlier deploy brought {brought}"


def _of_part(where: str, part: Service | Store, known: Collection[str], app: App) -> Iterator[tuple[str, str]]:
    if app.platform == "aws":  # which keeps values itself, whatever this shell has
        if lacking := list(part.secrets):
            yield (
                f"{where}.secrets",
                f"give {', '.join(lacking)} a value once: `crossfade secrets set {lacking[0]} -e {app.environment}`",
            )
        return
    lacking = [one for one in part.secrets if one not in known and one not in part.secrets.sources]
    there = dict.fromkeys(known, "there")
    made = [fill(one.value, there, bare=False) for name, one in part.secrets.sources.items() if name not in known]
    parts = {name for one in made for name in (*one.unset, *(name for name, _ in one.required))}
    lacking += sorted(parts - set(lacking))
    if lacking:
        yield _to_export(f"{where}.secrets", lacking)
