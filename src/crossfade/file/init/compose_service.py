"""One service of a Compose file in our words."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from crossfade.file.document import Keys
from crossfade.file.problem import shown
from crossfade.file.service import GIVEN

Leave = Callable[[Keys, str, str], None]
Settings = dict[str, Any]

_VARIABLE = re.compile(r"\$(?:\$|\{([A-Za-z_]\w*)(?::?([-?+])([^}]*))?\}|([A-Za-z_]\w*))")
_URL = re.compile(r"https?://(?:\[[^\]]*\]|[^\s/:'\"]+)(?::([0-9]+))?(/[^\s'\"|;&)#]*)?")
_PORT = re.compile(r"(?:(?:[0-9]+(?:\.[0-9]+){3}|\[[^\]]*\]):)?(?:([0-9]+)?:)?([0-9]+)(?:/(tcp|udp))?")
_SECRET = re.compile(r"PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIAL", re.IGNORECASE)
_LOGIN_IN_URL = re.compile(r"://[^/@\s]*:[^/@\s]+@")
_TLS_PORT = 443

_WHY = {
    "volumes": "instances come and go; what must last belongs into a database or an object store",
    "env_file": "values are not copied; name the variables under env or secrets",
    "restart": "an instance that exits is always replaced, with growing pauses",
    "restart_policy": "an instance that exits is always replaced, with growing pauses",
    "networks": "instances are reached through the balancer; there is nothing to connect",
    "entrypoint": "build it into the image, or write it as command",
    "labels": "crossfade labels containers itself",
    "logging": "output goes to crossfade's log files: see `crossfade logs`",
    "container_name": "several instances cannot share one name",
    "hostname": "several instances cannot share one name",
    "profiles": "use environments",
    "secrets": "name environment variables under `secrets`",
    "configs": "put the file into the source or the image",
    "stop_signal": "instances are stopped with SIGTERM",
    "extends": "only this file was read",
}
_SILENT = frozenset({"image", "build", "command", "ports", "expose", "environment", "healthcheck", "deploy"}) | {
    "depends_on",
    "stop_grace_period",
    "mem_limit",
    "cpus",
    "scale",
}


@dataclass
class Carried:
    """A service as crossfade's file has it, and what concerns the others: whom it waits for, what it publishes."""

    name: str
    service: Settings
    depends_on: list[str] = field(default_factory=list)
    published: int | None = None


def carry(app: str, name: str, compose: Settings, leave: Leave) -> Carried | None:
    """The service in our words, or None when it answers no requests. Whatever is left out is told to `leave`."""
    return _Service(app, name, compose, leave).carried()


class _Service:
    def __init__(self, app: str, name: str, compose: Settings, leave: Leave) -> None:
        self.app, self.name, self.compose, self.leave = app, name, compose, leave

    def carried(self) -> Carried | None:
        published, port = self._port()
        health, health_port = self._health()
        if port is None and health_port is None:
            self.leave((), self.name, "it has no port; crossfade runs services that answer HTTP")
            return None
        env, secrets = self._environment()
        deploy = self.compose.get("deploy")
        deploy = deploy if isinstance(deploy, dict) else {}
        replicas = self._replicas(deploy)
        service: Settings = {
            "image": self._image(),
            "command": self._command(),
            "port": port or health_port,
            "replicas": replicas,
            "health": health,
            "grace": self._text(("stop_grace_period",)),
            "env": env,
            "secrets": secrets,
            "resources": self._resources(),
            "deploy": self._deploy(deploy, replicas),
        }
        self._leave_the_rest(deploy)
        filled = {key: value for key, value in service.items() if value not in (None, {}, [])}
        return Carried(self.name, filled, self._depends_on(), published)

    def _value(self, keys: Keys) -> Any:
        here: Any = self.compose
        for key in keys:
            here = here.get(key) if isinstance(here, dict) else None
        return here

    def _text(self, keys: Keys) -> Any:
        """A value with its variables filled in as Compose would without any set; numbers stay numbers."""
        value = self._value(keys)
        if not isinstance(value, str):
            return value
        text, missing = interpolated(value)
        if missing:
            self.leave(keys, value, f"{', '.join(missing)} comes from the shell; it was taken as empty")
        return text

    def _image(self) -> str:
        build = self.compose.get("build")
        image = str(self._text(("image",)) or "").rstrip(":") or f"{self.app}-{self.name}:latest".lower()
        if build is not None:
            context = build.get("context", ".") if isinstance(build, dict) else build
            self.leave(
                ("build",), f"build {context}", f"build the image before a deploy: docker build -t {image} {context}"
            )
        return image

    def _command(self) -> Any:
        command = self.compose.get("command")
        if isinstance(command, list):
            return [interpolated(str(item))[0] for item in command]
        return self._text(("command",))

    def _port(self) -> tuple[int | None, int | None]:
        """The published and the container's port of the first TCP port; the others are left."""
        found: list[tuple[int | None, int | None]] = []
        ports = self.compose.get("ports")
        for index, entry in enumerate(ports if isinstance(ports, list) else []):
            published, target, why = _port_of(entry)
            if target is None or found or published == _TLS_PORT:
                why = why or ("give tls a certificate" if published == _TLS_PORT else "a service has one port")
                self.leave(("ports", index), f"port {_short(entry)}", why)
            else:
                found.append((published, target))
        if found:
            return found[0]
        expose = self.compose.get("expose")
        for entry in expose if isinstance(expose, list) else []:
            if (target := _port_of(entry)[1]) is not None:
                return None, target
        return None, None

    def _environment(self) -> tuple[dict[str, str], list[str]]:
        """Values that may stand in a file, and the names of those that may not or that are not here."""
        env: dict[str, str] = {}
        secrets: list[str] = []
        for key, name, value in _variables(self.compose.get("environment")):
            keys = ("environment", key)
            text, missing = interpolated(value) if value is not None else (None, [name])
            if name in GIVEN:
                self.leave(keys, name, "crossfade gives it to each instance itself")
            elif text is None or missing:
                self.leave(keys, f"the value of {name}", "it comes from the shell; the file names it under secrets")
                secrets.append(name)
            elif _SECRET.search(name) or _LOGIN_IN_URL.search(text):
                self.leave(keys, f"the value of {name}", "it looks like a secret; the file only names it under secrets")
                secrets.append(name)
            else:
                env[name] = text
        return env, secrets

    def _health(self) -> tuple[Settings, int | None]:
        """Our health check, and the port that the Compose one asked."""
        check = self.compose.get("healthcheck")
        if not isinstance(check, dict):
            return {}, None
        test = check.get("test")
        command = " ".join(map(str, test)) if isinstance(test, list) else str(test or "")
        url = _URL.search(interpolated(command)[0])
        health: Settings = {"path": (url[2] or "/")} if url else {}
        if not url and command and not check.get("disable"):
            self.leave(("healthcheck", "test"), f"test {shown(command)}", "health is asked with GET; path is / now")
        for key in ("start_period", "start_interval"):
            if key in check:
                why = "new instances have deploy.timeout to become healthy; failures before that do not count"
                self.leave(("healthcheck", key), f"{key} {check[key]}", why)
        health |= {
            "interval": self._text(("healthcheck", "interval")),
            "timeout": self._text(("healthcheck", "timeout")),
        }
        health["unhealthy"] = check.get("retries")
        return {key: value for key, value in health.items() if value is not None}, int(url[1] or 80) if url else None

    def _replicas(self, deploy: Settings) -> Any:
        replicas = deploy.get("replicas", self.compose.get("scale"))
        return replicas if replicas is not None else 1

    def _resources(self) -> Settings:
        limits = self._value(("deploy", "resources", "limits"))
        limits = limits if isinstance(limits, dict) else {}
        for key in limits.keys() - {"cpus", "memory"}:
            self.leave(("deploy", "resources", "limits", key), key, "crossfade limits cpu and memory")
        if self._value(("deploy", "resources", "reservations")) is not None:
            self.leave(
                ("deploy", "resources", "reservations"), "reservations", "one machine has no scheduler to reserve from"
            )
        cpu, memory = limits.get("cpus", self.compose.get("cpus")), limits.get("memory", self.compose.get("mem_limit"))
        return {key: value for key, value in (("cpu", cpu), ("memory", memory)) if value is not None}

    def _deploy(self, deploy: Settings, replicas: Any) -> Settings:
        """`update_config` is a rolling deploy; without it ours is blue-green."""
        update = deploy.get("update_config")
        if not isinstance(update, dict):
            return {}
        count = replicas if isinstance(replicas, int) and replicas > 0 else 1
        batch = update.get("parallelism", 1)
        batch = min(batch, count) if isinstance(batch, int) and batch > 0 else count  # 0 is all at once
        rolling = _bounds(count, batch, start_first=update.get("order") == "start-first")
        rolling |= {"warmup": update.get("delay"), "bake": update.get("monitor")}
        if update.get("failure_action", "pause") != "rollback":
            action = update.get("failure_action", "pause (Compose's default)")
            keys = ("deploy", "update_config", "failure_action")
            self.leave(keys, f"failure_action {action}", "crossfade always takes a bad release back")
        if "max_failure_ratio" in update:
            keys = ("deploy", "update_config", "max_failure_ratio")
            self.leave(keys, "max_failure_ratio", "a release is judged by its requests: see deploy.rollback_on")
        return {"strategy": "rolling", **{key: value for key, value in rolling.items() if value is not None}}

    def _depends_on(self) -> list[str]:
        depends_on = self.compose.get("depends_on")
        return [str(name) for name in depends_on] if isinstance(depends_on, dict | list) else []

    def _leave_the_rest(self, deploy: Settings) -> None:
        for key, value in self.compose.items():
            if key not in _SILENT and not key.startswith("x-"):
                self.leave((key,), f"{key} {_short(value)}", _WHY.get(key, "crossfade has no such setting"))
        for key, value in deploy.items():
            if key not in ("replicas", "resources", "update_config"):
                self.leave(
                    ("deploy", key), f"deploy.{key} {_short(value)}", _WHY.get(key, "crossfade has no such setting")
                )


def interpolated(text: str) -> tuple[str, list[str]]:
    """The text with `$$` as `$` and `${NAME:-default}` as its default, and the names that have none."""
    missing: list[str] = []

    def value(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        if match[2] == "-":
            return match[3]
        missing.append(match[1] or match[4])
        return ""

    return _VARIABLE.sub(value, text), missing


def _bounds(count: int, batch: int, *, start_first: bool) -> Settings:
    """Percentages that mean the batch again once they are rounded up to instances.

    With 3 replicas in batches of 1, start-first: 33 % surge is ceil(0.99) = 1 more. Stop-first: 66 % stay healthy,
    that is ceil(1.98) = 2 of 3.
    """
    if start_first:
        return {"min_healthy": 100, "max_surge": max(1, 100 * batch // count)}
    return {"min_healthy": 100 * (count - batch) // count, "max_surge": 0}


def _port_of(entry: Any) -> tuple[int | None, int | None, str]:
    """Published port, container's port, and why it cannot be carried when there is none."""
    if isinstance(entry, dict):
        entry = f"{entry.get('published') or ''}:{entry.get('target')}/{entry.get('protocol', 'tcp')}".removeprefix(":")
    match = _PORT.fullmatch(interpolated(str(entry))[0])
    if match is None:
        return None, None, "a service has one port"
    if match[3] == "udp":
        return None, None, "crossfade serves HTTP"
    return (int(match[1]) if match[1] else None), int(match[2]), ""


def _variables(environment: Any) -> Iterator[tuple[str | int, str, str | None]]:
    """Where each variable stands, its name, and its value; None where that comes from the shell."""
    if isinstance(environment, list):
        for index, item in enumerate(environment):
            name, equals, value = str(item).partition("=")
            yield index, name, value if equals else None
    elif isinstance(environment, dict):
        for name, value in environment.items():
            yield name, name, None if value is None else str(value)


def _short(value: Any) -> str:
    return shown(value).strip('"') if not isinstance(value, dict | list) else f"({len(value)})"
