"""Requests, checked before anything is done: each mistake is one sentence, and never a traceback."""

import hmac
import json
import math
import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from aiohttp import web

from crossfade.controller.order import Order, Shell
from crossfade.core.errors import WrongInputError
from crossfade.core.service import Service
from crossfade.engine.ports.logs import INSTANCES, LogQuery, Writer

NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
HOME = re.compile(rf"{NAME.pattern}(@{NAME.pattern})?")  # an app, where it is at home
ALLOWED = "allowed: 1 to 31 lower-case letters, digits and hyphens, the first a letter"
MOST = 2**53  # what JSON holds exactly everywhere
SHOWN = 60  # characters of what was found
SCHEME = "Bearer "


def knows(request: web.Request, token: str) -> bool:
    """The request brought the token, as `Authorization: Bearer TOKEN` and in no other form."""
    given = request.headers.get("Authorization", "")
    mine = given.removeprefix(SCHEME).encode("utf-8", "surrogateescape")
    return bool(token) and given.startswith(SCHEME) and hmac.compare_digest(mine, token.encode())


def by_browser(request: web.Request) -> bool:
    """A browser sent it: each of them says where the page is from that makes it ask, or order."""
    return bool({"Origin", "Sec-Fetch-Site"} & request.headers.keys())


async def body(request: web.Request) -> dict[str, Any]:
    """The JSON object that was sent. WrongInputError for anything else, NaN and infinite numbers included."""
    try:
        sent = json.loads(await request.text(), parse_constant=_no_number, parse_float=_finite)
    except RecursionError:
        raise WrongInputError("the request's JSON is nested too deeply", "send it flatter") from None
    except (ValueError, LookupError) as error:  # no UTF-8, an unknown charset, no JSON
        raise WrongInputError(f"the request is not JSON: {error}", "send one object, in UTF-8") from None
    if not isinstance(sent, dict):
        raise WrongInputError(f"the request is {_shown(sent)}", "send a JSON object")
    if (app := sent.get("app")) and not (isinstance(app, str) and HOME.fullmatch(app)):
        named(app, "app")
    if (service := sent.get("service")) and not isinstance(service, dict):
        named(service, "service")
    return sent


def named(name: Any, what: str) -> str:
    """A name as the file allows it: it becomes part of paths, keys and the balancer's configuration."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise WrongInputError(f"{what}: found {_shown(name)}", ALLOWED)
    return name


def number(given: Mapping[str, Any], name: str, default: int | None = None) -> int:
    """A whole number that is not negative, from a query or a body."""
    value = given.get(name, default)
    text = value if isinstance(value, str) else str(value) if type(value) is int else ""
    if not re.fullmatch(r"[0-9]{1,16}", text) or int(text) > MOST:
        raise WrongInputError(f"{name}: found {_shown(value)}", "allowed: a whole number, 0 or more")
    return int(text)


def log_query(given: Mapping[str, str]) -> LogQuery:
    """What somebody wants to read of logs."""
    writers = [one for one in given.get("writers", "").split(",") if one]
    if unknown := [one for one in writers if one not in set(Writer)]:
        raise WrongInputError(f"writers: found {_shown(unknown[0])}", f"allowed: {', '.join(Writer)}")
    try:
        since = _finite(given["since"]) if given.get("since") else None
    except ValueError:
        raise WrongInputError(f"since: found {_shown(given['since'])}", "allowed: seconds since 1970") from None
    return LogQuery(
        instance=given.get("instance"),
        writers=frozenset(map(Writer, writers)) or INSTANCES,
        lines=number(given, "lines", 100),
        since=since,
        follow=bool(given.get("follow")),
    )


def order(given: Mapping[str, Any]) -> Order:
    """Who orders, and how."""
    made = Order(by=given["by"], **{f.name: given[f.name] for f in fields(Order) if f.name in given and f.name != "by"})
    for field in fields(Order):
        value: Any = getattr(made, field.name)
        kind = str if field.name == "by" else type(field.default)
        if type(value) is not kind or (isinstance(value, str) and "\0" in value):
            allowed = "allowed: true or false" if kind is bool else "allowed: text without NUL"
            raise WrongInputError(f"{field.name}: found {_shown(value)}", allowed)
    return made


def shell(given: Mapping[str, Any]) -> Shell:
    """What the shell of who asks brings along."""
    return Shell(
        environment=variables(given.get("environment") or {}, "environment"),
        secrets=variables(given.get("secrets") or {}, "secrets"),
        secrets_of={key: variables(values, "secrets_of") for key, values in (given.get("secrets_of") or {}).items()},
        lacking={key: variables(values, "lacking") for key, values in (given.get("lacking") or {}).items()},
    )


def require_sound(service: Service) -> Service:
    """Names and variables of a service that did not come through the file."""
    named(service.app, "app")
    named(service.name, "service")
    if service.environment:
        named(service.environment, "environment")
    variables(dict(service.env), "env")
    return service


def variables(given: Any, what: str) -> Mapping[str, str]:
    """Variables that a process can be started with: texts without NUL, names without `=`."""
    if not isinstance(given, dict):
        raise WrongInputError(f"{what}: found {_shown(given)}", "allowed: an object of strings")
    for name, value in given.items():
        if not name or "=" in name or "\0" in name or not isinstance(value, str) or "\0" in value:
            raise WrongInputError(
                f"{what}: {_shown(name)} is not a variable", "allowed: strings without NUL, names without ="
            )
    return given


def misfit(error: Exception) -> WrongInputError:
    """A request that says something else than was asked for, in words: what is missing, or what is of another kind."""
    if isinstance(error, KeyError):
        return WrongInputError(f"the request lacks {_shown(str(error.args[0]) if error.args else '')}")
    return WrongInputError(f"the request does not fit: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    said = str(error).strip() or type(error).__name__
    return said.splitlines()[0][:200]


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:SHOWN]} is too large")
    return value


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a number")


def _shown(value: Any) -> str:
    """What was found, on one line, shortened, and without anything a terminal would act on."""
    text = json.dumps(value, default=str)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
