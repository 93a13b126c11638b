"""Values that name another service of the Compose file, where its name will not resolve."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crossfade.file.init.compose.judge.roles import Kind, Role
from crossfade.file.init.compose.notes import Notes
from crossfade.file.init.compose.service import CarriedService
from crossfade.file.init.compose.source.ports import ports_of, published
from crossfade.file.init.compose.source.project import Project
from crossfade.file.init.compose.store import CarriedStore
from crossfade.file.init.todo import Rank, Todo

_NETWORK = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")  # as Docker has it

# This machine, as containers on Docker's own bridge see it.
HOST = "172.17.0.1"
_TOKEN = re.compile(r"(?<![\w.$-])([A-Za-z0-9][\w.-]*)(?::([0-9]{1,5}))?(?![\w-])")
_MAY_ADDRESS = re.compile(r"[:=]")
_COMMANDS = ("entrypoint", "command")
_FIXED = ("ipv4_address", "ipv6_address")  # of a container on one of its networks
_AT = re.compile(r":([0-9]{2,5})\b")  # behind a name
_PUBLISHED = re.compile(r"\b(?:localhost|127\.0\.0\.1):([0-9]{2,5})\b")
_IS_ADDRESS = re.compile(
    r"HOST|ADDR|SERVER|URL|URI|ENDPOINT|BROKER|NODE|UPSTREAM|BACKEND|DSN|CONN|BOOTSTRAP|PEER|SEED|CLUSTER",
    re.IGNORECASE,
)
_IS_NAME = re.compile(
    r"USER|_NAME$|^NAME$|DATABASE$|_DB$|PASS|ENV|MODE|DRIVER|ENGINE|DIALECT|TYPE|PROVIDER|STORE$|CONNECTION$",
    re.IGNORECASE,
)


def named(variable: str, value: str, names: Mapping[str, str]) -> Iterator[tuple[int, str, str]]:
    """(where, name as written, service) of each service that the value gives as an address.

    `names` maps what a container is reached by (service, alias, container_name) to the service. In
    `redis://cache:6379/0`, `a:1,b:2` and `jdbc:postgresql://db/x` they are found by what is around them; a bare word
    counts when the variable's name is about an address: DB_HOST=db, but not POSTGRES_USER=db.
    """
    bare = value.strip() in names
    for token in _TOKEN.finditer(value):
        service = names.get(token[1])
        if service is None:
            continue
        before, after = value[: token.start()], value[token.end() :]
        in_url = before.endswith(("//", "@"))
        keyed = bool(re.search(r"(host|server|data source|addr\w*)\s*=\s*$", before, re.IGNORECASE))
        listed = bool(token[2]) and (not after or after[0] in ",;/ ?#&\"'\n")
        alone = (bare or _is_list(value)) and _is_about_address(variable, token[1])
        if (in_url and _ends_host(after)) or keyed or listed or alone:
            yield token.start(), token[1], service


def _ends_host(after: str) -> bool:
    return not after or (after[0] in "/:,?#;\"' \n" and not after.startswith(":@"))


def _is_list(value: str) -> bool:
    return "," in value and "=" not in value


def _is_about_address(variable: str, name: str) -> bool:
    if _IS_NAME.search(variable) and not re.search(r"HOST", variable, re.IGNORECASE):
        return False
    return bool(_IS_ADDRESS.search(variable)) or variable.lower().replace("_", "-") == name.lower().replace("_", "-")


def tell_addresses(
    project: Project,
    judged: Mapping[str, Role],
    carried: Sequence[tuple[str, CarriedService | CarriedStore]],
    file: dict[str, Any],
    notes: Notes,
) -> None:
    """Has names of others resolve, and tells of every variable whose name does not what to write instead.

    A service and a store of this file are found by their names. What stays in Compose is, too, from its network, which
    the file joins.
    """
    names = _names(judged, project)
    there = {*file["services"], *file.get("stores", ())}
    called = {one.compose_name: ours for ours, one in carried if ours in there}
    for ours, one in carried:
        if ours not in there:
            continue
        mine = {**names, **_links(project.plain["services"][one.compose_name])}
        for variable, word, service in _once_each(one, mine):
            if service in called and word != called[service]:
                if variable in one.settings.get("env", {}) or variable in one.variables.made_of:
                    _rename(notes, one, (ours, variable), names=mine, called=called)
                    continue
                what = f"{word} is called {called[service]} here: write that"
            elif service in called:
                continue
            elif instead := _instead(service, judged[service].kind, file, project):
                what = f"{service} {instead}"
            else:
                continue
            _tell(notes, one, ours, variable=variable, word=word, what=what)
        for key, service in _in_commands(one, names=mine, called=called):
            if instead := _instead(service, judged[service].kind, file, project):
                notes.todos.append(Todo(Rank.NEVER_HEALTHY, f"{_section(one)}.{ours}.{key}", f"{service} {instead}"))
    _tell_published(project, carried, file, notes)
    _tell_other_ports(carried, names, file, notes)


def _tell_other_ports(
    carried: Sequence[tuple[str, CarriedService | CarriedStore]],
    names: Mapping[str, str],
    file: dict[str, Any],
    notes: Notes,
) -> None:
    """Say of each address of a service at a port that is not its own that nobody answers there: of an app at that of
    its metrics. A store is reached at all of its ports.
    """
    ports = {one.compose_name: file["services"][ours]["port"] for ours, one in carried if _answers(file, ours)}
    for ours, one in carried:
        values = one.variables.known
        for variable, value in values.items():
            beside = f":{values.get(_port_beside(variable), '')}"
            for start, word, service in named(variable, value, names):
                told = _AT.match(value, start + len(word)) or _AT.fullmatch(beside)
                own = ports.get(service)
                if own is None or told is None or int(told[1]) == own or service == one.compose_name:
                    continue
                asked = f"it is asked at port {told[1]}, and a service answers at one port, which is {own} here"
                where = f"{_section(one)}.{ours}.{_key(one, variable)}"
                notes.todos.append(Todo(Rank.MISSING, where, f"write {service} under stores: {asked}"))


def _answers(file: dict[str, Any], ours: str) -> bool:
    return "port" in file["services"].get(ours, {})


def _port_beside(variable: str) -> str:
    """MAIL_PORT for MAIL_HOST."""
    return re.sub(r"HOST(NAME)?$", "PORT", variable) if re.search(r"HOST(NAME)?$", variable) else ""


def _once_each(one: CarriedService | CarriedStore, names: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(variable, name as written, service) of each address in a variable, of each service the first."""
    found = {
        (variable, service): word
        for variable, value in one.variables.known.items()
        for _, word, service in reversed(list(named(variable, value, names)))
    }
    return [(variable, word, service) for (variable, service), word in found.items()]


def _tell_published(
    project: Project, carried: Sequence[tuple[str, CarriedService | CarriedStore]], file: dict[str, Any], notes: Notes
) -> None:
    """Say of each address of this machine where another service was published what visitors find it by now."""
    listen = file.get("listen")
    port = listen["http"] if isinstance(listen, dict) else listen
    stores = {
        port.published: (ours, port.target)
        for ours, one in carried
        if isinstance(one, CarriedStore)
        for port in published(ports_of(project.plain["services"][one.compose_name]))
    }
    opened = {
        one.published.published: ours for ours, one in carried if isinstance(one, CarriedService) and one.published
    }
    for ours, one in carried:
        for variable, value in one.variables.known.items():
            found = {int(match[1]): match[0] for match in _PUBLISHED.finditer(value) if int(match[1]) != port}
            where = f"{_section(one)}.{ours}.{_key(one, variable)}"
            for number in sorted(found.keys() & stores.keys()):
                store, target = stores[number]
                opens = f"port: {number}" if number == target else f"port: {number}:{target}"
                what = f"{found[number]} was {store}: write `{opens}` there to open it on this machine's loopback"
                notes.todos.append(Todo(Rank.ASSUMED, where, what))
            for number in sorted(found.keys() & opened.keys()):
                routes = file["services"].get(opened[number], {}).get("routes", [{}])
                address = f"{routes[0].get('host', 'localhost')}:{port}{routes[0].get('path', '/*').removesuffix('*')}"
                what = f"{found[number]} was {opened[number]}, which visitors find at http://{address} now"
                notes.todos.append(Todo(Rank.ASSUMED, where, what))


def _section(one: CarriedService | CarriedStore) -> str:
    return "services" if isinstance(one, CarriedService) else "stores"


def _key(one: CarriedService | CarriedStore, variable: str) -> str:
    """Where the file has the variable: among its own, by name alone, or in a file of variables."""
    there = next((key for key in ("env", "secrets") if variable in one.settings.get(key, ())), "env_file")
    return f"{there}.{variable}"


def _rename(
    notes: Notes,
    one: CarriedService | CarriedStore,
    place: tuple[str, str],
    *,
    names: Mapping[str, str],
    called: Mapping[str, str],
) -> None:
    """Write what each is called here into the value, in place of another name that its container had in Compose."""
    ours, variable = place
    before = one.variables.made_of.get(variable)
    value = before or one.settings["env"][variable]
    kind = type(value)  # one that has variables of the file goes on having them
    value = _renamed(variable, value, names, called)
    if before:
        one.settings["secrets"][variable] = {"value": value}
        return
    one.settings["env"][variable] = kind(value)
    was = one.variables.env[variable]
    notes.comments[ours, f"env.{variable}"] = "names in it were others" if "\n" in was else f"was {was}"


def _renamed(variable: str, value: str, names: Mapping[str, str], called: Mapping[str, str]) -> str:
    """The value with each address of another by what it is called here."""
    for start, word, service in reversed(list(named(variable, value, names))):
        if service in called:
            value = value[:start] + called[service] + value[start + len(word) :]
    return value


def _in_commands(
    one: CarriedService | CarriedStore, *, names: Mapping[str, str], called: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Renames addresses in what starts; (key, service) of those that are called nothing here."""
    for key in _COMMANDS:
        words: list[str] = one.settings.get(key) or []
        for index, word in enumerate(words):
            if _MAY_ADDRESS.search(word):
                yield from ((key, service) for _, _, service in named("", word, names) if service not in called)
                words[index] = type(word)(_renamed("", word, names, called))


def _names(judged: Mapping[str, Role], project: Project) -> dict[str, str]:
    """What containers of the Compose project reach each other by. A host name with dots is what visitors type."""
    names: dict[str, str] = {}
    for name in judged:
        service = project.plain["services"][name]
        host = str(service.get("hostname") or "")
        for alias in (service.get("container_name"), "" if "." in host else host, name):
            if isinstance(alias, str) and alias:
                names[alias] = name
        networks = service.get("networks")
        for network in networks.values() if isinstance(networks, dict) else ():
            joined = network if isinstance(network, dict) else {}
            aliases = joined.get("aliases")
            names.update({str(alias): name for alias in aliases} if isinstance(aliases, list) else {})
            names |= {str(joined[key]): name for key in _FIXED if joined.get(key)}
    return names


def _links(service: dict[str, Any]) -> dict[str, str]:
    """What the service alone calls others: `links: ["db:database"]`."""
    links = service.get("links")
    pairs = [str(link).partition(":") for link in (links if isinstance(links, list) else ())]
    return {alias or other: other for other, _, alias in pairs}


def _instead(service: str, kind: Kind, file: dict[str, Any], project: Project) -> str:
    """What to write in place of the name of one that is not in the file; empty where it is found by it."""
    if kind is Kind.CATCHER:
        return f"shows mail and sends none: name your mail server here, or write {service} under stores to keep it"
    if kind is Kind.PROXY:
        return f"is a proxy whose place crossfade takes; write http://{HOST} and the port that it listens on"
    network = _network_of(project, service)
    if network and file.setdefault("network", network) == network:
        return ""
    return f"stays in {project.called}, where it is on no network that this file joins; publish its port at {HOST}"


def _network_of(project: Project, service: str) -> str:
    """What Docker calls the network on which Compose's service has its name; empty where it is on none."""
    compose = project.plain["services"][service]
    names = list(compose.get("networks") or ["default"])
    return "" if compose.get("network_mode") else network_of(project, names[0])


def network_of(project: Project, name: str) -> str:
    """What Docker calls a network of Compose's; empty for one that Docker would not call so."""
    found = project.docker_name("networks", name)
    return found if _NETWORK.fullmatch(found) else ""


def _tell(notes: Notes, one: CarriedService | CarriedStore, ours: str, *, variable: str, word: str, what: str) -> None:
    key = _key(one, variable)
    value = one.settings["env"][variable] if key.startswith("env.") else word
    notes.leave(("services", one.compose_name, "environment", variable), f"{variable}: {value}", what)
    notes.todos.append(Todo(Rank.NEVER_HEALTHY, f"{_section(one)}.{ours}.{key}", what))
    notes.comments[ours, key] = f"{word} does not resolve here"
