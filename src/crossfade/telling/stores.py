"""Events of stores as sentences."""

from collections.abc import Callable, Mapping
from typing import Any

Event = Mapping[str, Any]


def _noted(_: Any, data: Event) -> list[str]:
    store = data["store"]
    zone = f" {store['timezone']}" if store.get("schedule") else ""
    return [f"backups are scheduled: {store['schedule']}{zone}"] if store.get("schedule") else []


def _starting(_: Any, data: Event) -> list[str]:
    return [f"making the store {'anew ' if data['anew'] else ''}from {data['image']}"]


def _made(_: Any, data: Event) -> list[str]:
    return ["the store is ready" if data["what"] == "started" else "the store was recreated and is ready"]


def _begun(_: Any, data: Event) -> list[str]:
    return [f"a backup begins, by {data['by']}: {data['command']}"]


def _backed_up(_: Any, data: Event) -> list[str]:
    return [f"the backup is {data['file']}" if data["code"] == 0 else f"the backup failed: {data['detail']}"]


def _restoring(_: Any, data: Event) -> list[str]:
    return [f"{data['by']} gives it the data of {data['file'] or 'its newest backup'}"]


def _restored(_: Any, data: Event) -> list[str]:
    return [f"restoring failed: {data['detail']}" if data["detail"] else f"it has the data of {data['file']}"]


RULES: dict[str, Callable[[Any, Event], list[str]]] = {
    "store noted": _noted,
    "store starting": _starting,
    "store made": _made,
    "store started": lambda _, __: ["the store runs again"],
    "store failed": lambda _, data: [f"trouble: {data['error']}"],
    "store stopped": lambda _, data: [f"the store was taken down by {data['by']}; its data stays"],
    "data deleted": lambda _, data: [f"{data['by']} deleted the data: {', '.join(data['names'])}"],
    "backup started": _begun,
    "backup ended": _backed_up,
    "restore started": _restoring,
    "restore ended": _restored,
    "store entered": lambda _, data: [f"{data['by']} runs a command in it"],
}
