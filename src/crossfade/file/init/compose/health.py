"""From a healthcheck, which is a command inside the container, to a request that crossfade makes from outside."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crossfade.file.init.compose.notes import ServiceNotes
from crossfade.file.init.kept import InShell, line_of, script_of
from crossfade.file.init.todo import Rank
from crossfade.file.reading.interpolation import fill
from crossfade.file.reading.problem import shown

Settings = dict[str, Any]

_URL = re.compile(r"(https?)://(?:\[[^\]]*\]|[^\s/:'\"]+)(?::([0-9]+))?(/[^\s'\"|;&)#]*)?")
_BARE = re.compile(
    r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]|[a-z][\w.-]*(?=:[0-9]))(?::([0-9]+))?(/[^\s'\"|;&)#]*)?"
)
_ASKS = re.compile(r"(?:^|[\s/;&|(])(curl|wget|httpie|http|xh)\s")
_OPEN_PORT = re.compile(r"\bnc\b.*?\s([0-9]{2,5})\b|/dev/tcp/[^/\s]+/([0-9]+)")
_FAILS = re.compile(r"\s(--fail|--fail-with-body|-[a-zA-Z]*f[a-zA-Z]*)(?=\s)")
_FOLLOWS = re.compile(r"\s(--location|-[a-zA-Z]*L[a-zA-Z]*)(?=\s)")
_POSTS = re.compile(r"\s(-X|--request|-d|--data\S*|--post-\S+)[\s=]")
_LOGS_IN = re.compile(r"\s(-u|--user|--http-user|--unix-socket|--cert)[\s=]|localhost:2019\b")
_HEADERS = re.compile(r"""\s(?:-H|--header)[\s=]*(?:"([^":]+):\s*([^"]*)"|'([^':]+):\s*([^']*)')""")
_GREP = re.compile(r"""\|\s*grep\s+(?:-[a-zA-Z]+\s+)*(?:"([^"|;&]+)"|'([^'|;&]+)'|([^\s|;&'"]+))""")
_REGEX = re.compile(r"[\^$*+?\[\]{}|\\]")
REDIRECTS_TOO = "200-399"


@dataclass(frozen=True)
class HttpQuestion:
    """What a command asks: the URL's path, port (None: not said) and scheme, and what its options mean."""

    path: str = ""
    port: int | None = None
    https: bool = False
    options: Settings = field(default_factory=dict)
    unlike: str = ""  # what it does that a GET does not
    by_command: bool = False  # what only the command itself can ask, as with a login


def asked(command: str, variables: Mapping[str, str]) -> HttpQuestion:
    """The request in a healthcheck's command; without a path when it makes none. `variables` are the container's."""
    text = _filled(command, {"HOSTNAME": "localhost", **variables})
    url = _URL.search(text)
    if url and ("/dev/tcp/" not in text or _ASKS.search(text)):  # what bash writes to an open port is no URL to ask
        port = int(url[2]) if url[2] else 443 if url[1] == "https" else 80
        return HttpQuestion(url[3] or "/", port, url[1] == "https", *_options(text), _only_so(text))
    if program := _ASKS.search(text):
        for word in _words(text[program.end() :]):
            if bare := _BARE.fullmatch(word):
                options, unlike = _options(text)
                path, port = bare[2] or "/", int(bare[1] or 80)
                return HttpQuestion(path, port, options=options, unlike=unlike, by_command=_only_so(text))
    if open_port := _OPEN_PORT.search(text):
        return HttpQuestion(port=int(open_port[1] or open_port[2]))
    return HttpQuestion()


def health(check: Any, variables: Mapping[str, str], notes: ServiceNotes) -> tuple[Settings, int | None]:
    """Our health check from Compose's, and the port that is asked; a command that makes no request stays one. What is
    assumed or different is told.
    """
    if not isinstance(check, dict) or check.get("disable") or check.get("test") in (["NONE"], "NONE"):
        off = isinstance(check, dict) and (check.get("disable") or check.get("test"))
        _assumed(notes, "Compose's check was switched off" if off else "Compose had no check")
        return {"path": "/"}, None
    command = command_of(check.get("test"))
    wanted = asked(command, variables)
    in_shell = any(isinstance(word, InShell) for word in _words_of(check.get("test")))
    if command and (in_shell or not wanted.path or wanted.by_command):  # run beside the instance, as Compose runs it
        return worker_health(check, notes), wanted.port
    settings: Settings = {"path": wanted.path or "/", **wanted.options}
    if not wanted.path:
        _assumed(notes, "Compose left it to the image")
    if wanted.https:
        notes.leave(
            ("healthcheck", "test"), f"test {shown(command)}", "the check asks by HTTPS; crossfade asks by HTTP"
        )
        notes.todo(Rank.NEVER_HEALTHY, "health", f"let the service answer GET {settings['path']} by HTTP, too")
    if wanted.unlike:
        notes.leave(("healthcheck", "test"), f"test {shown(command)}", wanted.unlike)
        what = f"see that GET {settings['path']} answers {settings.get('codes', '200-299')}: {wanted.unlike}"
        notes.todo(Rank.ASSUMED, "health", what)
    _tell_start(check, notes)
    settings |= {"interval": check.get("interval"), "timeout": check.get("timeout")}
    retries = check.get("retries")
    settings["unhealthy"] = int(retries) if isinstance(retries, str) and retries.isdecimal() else retries
    return {key: value for key, value in settings.items() if value is not None}, wanted.port


def worker_health(check: Any, notes: ServiceNotes) -> Settings:
    """A worker's check from Compose's: both are a command inside. Empty where there is none."""
    if not isinstance(check, dict) or check.get("disable") or not (command := command_of(check.get("test"))):
        return {}
    if command == "NONE":
        return {}
    _tell_start(check, notes)
    retries = check.get("retries")
    settings = {
        "command": command,
        "interval": check.get("interval"),
        "timeout": check.get("timeout"),
        "unhealthy": int(retries) if isinstance(retries, str) and retries.isdecimal() else retries,
    }
    return {key: value for key, value in settings.items() if value is not None}


def _words_of(test: Any) -> list[Any]:
    return test if isinstance(test, list) else [test]


def _tell_start(check: Mapping[str, Any], notes: ServiceNotes) -> None:
    for key in ("start_period", "start_interval"):
        if key in check:
            why = "new instances have deploy.timeout to become healthy; failures before that do not count"
            notes.leave(("healthcheck", key), f"{key} {check[key]}", why)


def command_of(test: Any) -> str:
    """The command of a healthcheck as one line."""
    if isinstance(test, list):
        words = [word if isinstance(word, str) else str(word) for word in test]
        if words[:1] == ["CMD-SHELL"]:
            return " ".join(script_of(word) for word in words[1:])
        return line_of(words[1:]) if words[:1] == ["CMD"] else line_of(words)
    return script_of(test) if isinstance(test, str) else str(test or "")


def _assumed(notes: ServiceNotes, why: str) -> None:
    notes.comment("health", f"must answer 200-299; {why}")
    notes.todo(
        Rank.ASSUMED, "health", f"write the path that answers 200-299 when the service works; / is assumed, {why}"
    )


def _only_so(text: str) -> bool:
    """True for a question that is no GET of ours: another method, a login, a socket in place of a port, or Caddy's own
    port 2019, which answers inside of the container alone.
    """
    return _ASKS.search(text) is not None and (_POSTS.search(text) or _LOGS_IN.search(text)) is not None


def _options(text: str) -> tuple[Settings, str]:
    """What curl's and wget's options mean for ours, and what has no counterpart."""
    settings: Settings = {}
    said = []
    for one, value, other, another in _HEADERS.findall(text):
        name, content = one or other, value or another
        if name.lower() == "host":
            settings["host"] = content
        else:
            settings.setdefault("headers", {})[name] = content
    if _ASKS.search(text) and "curl" in text:
        if not _FAILS.search(text) and "grep" not in text and "http_code" not in text:
            said.append("curl without -f takes every answer, errors too; crossfade wants 200-399")
        if not _FOLLOWS.search(text):
            settings["codes"] = REDIRECTS_TOO
    if grep := _GREP.search(text):
        pattern = grep[1] or grep[2] or grep[3]
        if _REGEX.search(pattern) or re.search(r"\s-[a-zA-Z]*v", grep[0]):
            said.append(f"the answer was searched for {shown(pattern)}; only its code counts now")
        elif not re.fullmatch(r"[2-5]\d\d|HTTP.*", pattern):
            settings["body"] = pattern
    return settings, "; ".join(said)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text, comments=False)
    except ValueError:
        return text.split()


def _filled(text: str, variables: Mapping[str, str]) -> str:
    try:
        return fill(text, variables).text if "$" in text else text
    except ValueError:
        return text
