"""The stream of what Terraform says of itself while it runs: its `-json` lines, as sentences.

https://developer.hashicorp.com/terraform/internals/machine-readable-ui
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_DOING = {"create": "creating", "update": "changing", "delete": "destroying", "read": "reading"}
_DONE = {"create": "created", "update": "changed", "delete": "destroyed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One error. `where` is `modules/database/rds/main.tf:12` as Terraform's working directory sees it."""

    summary: str
    detail: str = ""
    address: str = ""
    where: str = ""


@dataclass(slots=True)
class TerraformStory:
    """A run as its program tells it, line after line.

    `total` is how many resources a plan touches, when it is known.
    """

    total: int = 0
    done: int = 0
    errors: list[Diagnostic] = field(default_factory=list)
    plain: list[str] = field(default_factory=list)  # whatever was no JSON: complaints from before it could begin
    _running: dict[str, str] = field(default_factory=dict)  # address -> what is done to it, oldest first
    _read: int = 0

    def take(self, line: str) -> str | None:
        """The sentence to say about it, when there is one."""
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            self.plain += [line] if line.strip() else []
            return None
        hook = message.get("hook") or {}
        address = (hook.get("resource") or {}).get("addr", "")
        match message.get("type"):
            case "apply_start":
                self._running[address] = _DOING.get(hook.get("action", ""), "working on")
            case "apply_complete":
                return self._complete(address, hook)
            case "apply_errored":
                self._running.pop(address, None)
                return f"{address} failed after {hook.get('elapsed_seconds', 0)} s"
            case "refresh_complete":
                self._read += 1
            case "diagnostic":
                return self._diagnostic(message.get("diagnostic") or {})
        return None

    def now(self) -> str:
        """What is under way, in one line."""
        counted = f" ({self.done} of {self.total})" if self.total else ""
        if self._running:
            (address, doing), more = next(iter(self._running.items())), len(self._running) - 1
            return f"{doing} {address}{f' and {more} more' if more else ''}{counted}"
        return f"{self._read} resources read" if self._read and not self.total else ""

    def _complete(self, address: str, hook: Mapping[str, Any]) -> str | None:
        self._running.pop(address, None)
        action = _DONE.get(hook.get("action", ""))
        if action is None:
            return None  # a data source was read
        self.done += 1
        counted = f"{self.done} of {self.total}, " if self.total else ""
        return f"{address} {action} ({counted}{hook.get('elapsed_seconds', 0)} s)"

    def _diagnostic(self, given: Mapping[str, Any]) -> str | None:
        if given.get("severity") != "error":
            detail = given.get("detail", "").partition("\n")[0]
            return f"warning: {given.get('summary', '')}{f': {detail}' if detail else ''}"
        at = given.get("range") or {}
        self.errors.append(
            Diagnostic(
                summary=given.get("summary", ""),
                detail=given.get("detail", ""),
                address=given.get("address", ""),
                where=f"{at['filename']}:{at['start']['line']}" if at else "",
            )
        )
        return None
