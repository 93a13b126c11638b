"""Events as sentences: what the journal holds, told while it happens."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from crossfade.telling import stores
from crossfade.telling.text import clock, plain, plural, release, seconds

Event = Mapping[str, Any]


class Story:
    """Tells the events of one service, in order. It remembers only what makes a later sentence understandable."""

    def __init__(self) -> None:
        self._shares: dict[int, int] = {}  # release -> percent
        self._draining: set[str] = set()
        self._versions: dict[int, str] = {}
        self._strategy: dict[str, Any] = {}
        self._worker = False

    def tell(self, event: Event) -> list[str]:
        """What is worth a line of this event; most are not."""
        rule = _RULES.get(event["kind"])
        return [plain(line) for line in rule(self, event["data"])] if rule else []

    def _label(self, number: int | None) -> str:
        return release(number, self._versions.get(number or 0))

    def _created(self, data: Event) -> list[str]:
        made = data["release"]
        self._versions[made["number"]] = made["version"]
        return [
            *data.get("notes", ()),
            f"release {self._label(made['number'])} is built: {_short(made['digest'])}",
        ]

    def _started(self, data: Event) -> list[str]:
        rollout = data["rollout"]
        self._strategy, self._worker = rollout["strategy"], rollout.get("kind") == "worker"
        self._versions |= {int(number): version for number, version in data.get("versions", {}).items()}
        if rollout["source"] is not None:
            self._shares = {rollout["source"]: 100}
        by = f", by {rollout['by']}" if rollout["by"] else ""
        before = f"from {self._label(rollout['source'])} " if rollout["source"] is not None else ""
        return [
            f"rollout {rollout['id']} {before}to release {self._label(rollout['target'])}, {self._strategy['name']}{by}"
        ]

    def _intended(self, data: Event) -> list[str]:
        action = data["action"]
        match action["do"]:
            case "RunHook":
                return [f"running the {action['hook']} hook: {data.get('command', '')}"]
            case "Probe":
                return [f"too few requests to judge by: sending {action['count']} of our own through the preview"]
            case "Stop" if data.get("in_flight") or data.get("streams"):
                held = plural(data.get("in_flight", 0) + data.get("streams", 0), "connection")
                return [f"{action['instance']} still held {held} when its drain time was over"]
            case _:
                return []

    def _done(self, data: Event) -> list[str]:
        match data["action"]["do"]:
            case "Launch":
                return [f"launched {data['instance']}"]
            case "Stop":
                self._draining.discard(data["action"]["instance"])
                how = " by SIGKILL, after its grace" if data.get("killed") else ""
                return [f"stopped {data['action']['instance']}{how}"]
            case _:
                return []

    def _routed(self, data: Event) -> list[str]:
        weights: dict[int, int] = dict(data["action"]["routing"]["weights"])
        shares = {number: round(100 * weight / sum(weights.values())) for number, weight in weights.items()}
        lines = []
        if shares != self._shares:
            self._shares = shares
            lines.append(f"{self._who_has(shares, data.get('stands_in_for'))}, switched in {data['ms']:.1f} ms")
        fresh = set(data["draining"]) - self._draining
        self._draining |= fresh
        if fresh:
            held = f" and {plural(data['drained'], 'request')} on them finish" if data["drained"] else ""
            lines.append(
                f"{plural(len(fresh), 'instance')} {'gets' if len(fresh) == 1 else 'get'} no new requests{held}"
            )
        return lines

    def _who_has(self, shares: Mapping[int, int], stood_in_for: int | None) -> str:
        each = [f"release {self._label(number)} has {share} %" for number, share in sorted(shares.items())]
        what = f"{', '.join(each)} of the traffic" if each else "no release has traffic"
        if stood_in_for is None:
            return what
        return f"{what}: it stands in for release {self._label(stood_in_for)}, which cannot answer"

    def _moved(self, data: Event) -> list[str]:
        action = data["action"]
        match action["do"]:
            case "StartBake":
                return self._holds(first=action["step"] == 0)
            case "RollBack":
                return [f"taking it back: {action['reason']}"]
            case "Finish":
                return [f"rollout {action['state'].replace('_', ' ')}: {action['reason']}"]
            case _:
                return []

    def _holds(self, *, first: bool) -> list[str]:
        """A step is reached. Where all new ones come first, a worker's bake in that step, and traffic in the next."""
        if self._strategy.get("name") == "recreate" and first:
            return []  # the old ones are gone, which is told; no new one is there that could be watched
        at_once = self._strategy.get("name") in {"blue-green", "canary", "linear"}
        baking = [f"baking for {seconds(self._strategy['bake'])}"] if self._strategy.get("bake") else []
        if not at_once:
            return baking
        if self._worker:
            return ["all new instances are at work beside the old ones", *baking] if first else []
        return ["all new instances are healthy"] if first else baking

    def _hooked(self, data: Event) -> list[str]:
        """Where no command said what the schema is, nobody knows."""
        changed = "the schema" if data.get("migrated") and data.get("schema") else ""
        changed = changed if data.get("migrated", True) else "nothing"
        return [data["complaint"] or f"the {data['hook']} hook passed{f', and changed {changed}' if changed else ''}"]

    def _exited(self, data: Event) -> list[str]:
        return [f"{data['instance']} {data['detail']}"]

    def _failed(self, data: Event) -> list[str]:
        return [f"trouble: {data['error']}"]


class Stories:
    """Tells the events of all services, each line with its time and its service."""

    def __init__(self) -> None:
        self._of: dict[str, Story] = {}

    def tell(self, event: Event) -> list[str]:
        story = self._of.setdefault(event["service"], Story())
        return [f"{clock(event['at'])}  {event['service']}  {line}" for line in story.tell(event)]


def newest(read: Callable[[int], Iterable[Event]], limit: int) -> tuple[Stories, list[str], int]:
    """The newest `limit` lines, oldest first, with the stories so far and the number of the last event.

    `read` gives the newest so many events. Most are worth no line: for 100 lines 100 are read, then 400, 1600 ...
    """
    asked = limit
    while True:
        stories, found = Stories(), list(read(asked))
        lines = [line for event in found for line in stories.tell(event)]
        if len(lines) >= limit or len(found) < asked:
            return stories, lines[-limit:], found[-1]["seq"] if found else 0
        asked *= 4


def _ordered(what: str) -> Callable[[Story, Event], list[str]]:
    def rule(_: Story, data: Event) -> list[str]:
        by, why = data.get("by"), data.get("reason")
        return [f"{what}{f' by {by}' if by else ''}{f': {why}' if why else ''}"]

    return rule


def _scaled(_: Story, data: Event) -> list[str]:
    return [f"scaled to {plural(data['replicas'], 'instance')} by {data['by']}"]


def _overslept(_: Story, data: Event) -> list[str]:
    return [f"nobody worked for {seconds(data['seconds'])}: the rollout gets that time back"]


def _tagged(_: Story, data: Event) -> list[str]:
    return [f"release {data['release']} is tagged {data['tag']} by {data['by']}"]


def _restarted(_: Story, data: Event) -> list[str]:
    old = data["instances"]
    if not old and not data["by"]:
        return ["the restart is given up: old instances stay"]
    return [f"restarting {plural(len(old), 'instance')}{' by ' + data['by'] if data['by'] else ''}"]


def _grouped(_: Story, data: Event) -> list[str]:
    group = data["group"]
    names = ", ".join(f"{m['service'].partition('/')[2]} {_way(m)}" for m in group["members"])
    return [f"release group {group['id']}: {names}; all of them, or all back"]


def _way(member: Event) -> str:
    return f"to {member['target']}" if member["source"] is None else f"{member['source']} to {member['target']}"


def _group_back(_: Story, data: Event) -> list[str]:
    return [f"taking all of the group back: {data['reason']}"]


def _group_ended(_: Story, data: Event) -> list[str]:
    return [f"release group {data['state'].replace('_', ' ')}: {data['reason']}"]


def _visited(_: Story, data: Event) -> list[str]:
    where = f"beside {data['instance']}" if data["instance"] else f"on release {data['release']}"
    return [f"{data['by']} runs a command {where}"]


def _scheduled(_: Story, data: Event) -> list[str]:
    return [f"job {data['job']} is scheduled: {data['schedule']} {data['timezone']}"]


def _begun(_: Story, data: Event) -> list[str]:
    return [f"job {data['run']['job']} begins on release {data['run']['release']}: {data['command']}"]


def _run_ended(_: Story, data: Event) -> list[str]:
    return [f"job {data['job']} {data['detail'] or 'is done'}"]


def _left_out(_: Story, data: Event) -> list[str]:
    return [f"job {data['job']} is left out: {data['why']}"]


def _adopted(_: Story, data: Event) -> list[str]:
    return [f"taken over from what runs, at release {data['current']}: the journal did not know it"]


_RULES: dict[str, Callable[[Story, Event], list[str]]] = {
    "release created": Story._created,  # noqa: SLF001  its own table
    "release tagged": _tagged,
    "rollout started": Story._started,  # noqa: SLF001
    "intent": Story._intended,  # noqa: SLF001
    "done": Story._done,  # noqa: SLF001
    "failed": Story._failed,  # noqa: SLF001
    "nobody worked": _overslept,
    "routed": Story._routed,  # noqa: SLF001
    "move": Story._moved,  # noqa: SLF001
    "hook ended": Story._hooked,  # noqa: SLF001
    "instance exited": Story._exited,  # noqa: SLF001
    "rollout paused": _ordered("paused"),
    "rollout resumed": _ordered("resumed"),
    "rollout promoted": _ordered("promoted"),
    "rollout aborted": _ordered("aborted"),
    "service scaled": _scaled,
    "service locked": _ordered("locked"),
    "service unlocked": _ordered("unlocked"),
    "service removed": _ordered("removed"),
    "service adopted": _adopted,
    "service restarted": _restarted,
    "command run": _visited,
    "job scheduled": _scheduled,
    "job started": _begun,
    "job ended": _run_ended,
    "job skipped": _left_out,
    **stores.RULES,
    "not told": lambda _, data: [f"channel {data['channel']} was not told that {data['title']}: {data['why']}"],
    "group started": _grouped,
    "group taken back": _group_back,
    "group ended": _group_ended,
}


def _short(digest: str) -> str:
    """Of an image's, with or without its name, and of a revision's place in a bucket."""
    return digest.rpartition("/")[2].rpartition(":")[2][:12]
