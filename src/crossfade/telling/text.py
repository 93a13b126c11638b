"""Values as people read them."""

import re
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")


def plain(text: str, *, colours: bool = False) -> str:
    """Text of somebody else as a terminal may show it: no sequence of it does anything but stand there.

    `ESC ]0;owned BEL`, which would set the window's title, becomes `�]0;owned�`. Tabs and line ends stay, and colours
    where they are wanted.
    """
    parts = _COLOUR.split(text) if colours else [text]
    parts[::2] = [_CONTROL.sub("\ufffd", part) for part in parts[::2]]
    return "".join(parts) + ("\x1b[0m" if len(parts) > 1 else "")


def table(rows: Iterable[Sequence[str]], indent: str = "  ", *, numbers: Collection[int] = ()) -> str:
    """Columns as wide as their widest cell, words to the left and the columns of `numbers` to the right."""
    rows = [tuple(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]

    def aligned(column: int, cell: str) -> str:
        return cell.rjust(widths[column]) if column in numbers else cell.ljust(widths[column])

    lines = ("  ".join(aligned(column, cell) for column, cell in enumerate(row)) for row in rows)
    return "\n".join((indent + line).rstrip() for line in lines)


def seconds(value: float) -> str:
    """0.4 s, 12 s, 3 min 20 s, 2 h 5 min."""
    if value < 10:  # noqa: PLR2004  below it, tenths tell something
        return f"{value:.1f} s"
    whole = round(value)
    for size, unit, small, below in ((3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // small
            return f"{whole // size} {unit}" + (f" {rest} {below}" if rest else "")
    return f"{whole} s"


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def clock(at: float) -> str:
    """The time of day, with the date when it was another day."""
    moment = time.localtime(at)
    return time.strftime("%H:%M:%S" if moment[:3] == time.localtime()[:3] else "%Y-%m-%d %H:%M:%S", moment)


def release(number: int | None, version: str | None) -> str:
    return "nothing" if number is None else f"{number} ({version})" if version else str(number)


_UNCOUNTED = {
    "requests": "some requests",
    "failed": "some failures",
    "retried": "retries",
    "drained": "requests that drained",
    "cut": "requests that were cut",
    "streams_closed": "streams that were closed",
    "client_closed": "clients that left",
    "killed": "instances that were killed",
}


def traffic(proof: Mapping[str, Any]) -> str:
    """The proof of a rollout in one line: served, failed by cause, retried, drained, latency; what nobody counted."""
    unknown = set(proof.get("uncounted") or ())
    causes = ", ".join(f"{cause}: {count}" for cause, count in (proof.get("causes") or {}).items())
    parts = [
        plural(proof["requests"], "request"),
        f"{proof['failed']:,} failed" + (f" ({causes})" if causes else ""),
        *(f"{proof[name]:,} {name}" for name in ("retried", "drained") if name not in unknown),
    ]
    if proof.get("cut"):
        parts.append(f"{proof['cut']:,} cut when the drain time was over")
    if proof.get("streams_closed"):
        parts.append(f"{plural(proof['streams_closed'], 'stream')} told to close")
    if proof.get("client_closed"):
        parts.append(f"{plural(proof['client_closed'], 'client')} left early")
    if proof.get("balancer_deaths"):
        parts.append(f"without what the balancer held when it died ({plural(proof['balancer_deaths'], 'time')})")
    latency = f"; p50 {proof['p50_ms']:.1f} ms, p99 {proof['p99_ms']:.1f} ms" if proof["requests"] else ""
    left = [words for name, words in _UNCOUNTED.items() if name in unknown]
    return ", ".join(parts) + latency + (f"; not counted: {', '.join(left)}" if left else "")


def rates(counted: Mapping[str, Any]) -> str:
    """`1,204 requests, 2.1 % failed, 95 % within 13 ms`; what is not known is said."""
    if not counted["requests"]:
        return "no requests, so neither error rate nor p95 is known"
    slowest = counted["p95_ms"]
    within = "p95 is not known" if slowest is None else f"95 % within {slowest:.{0 if slowest >= 10 else 1}f} ms"  # noqa: PLR2004
    return f"{plural(counted['requests'], 'request')}, {percent(counted['error_rate'])} failed, {within}"


def percent(share: float) -> str:
    """`0.012 %`, `2.1 %`; nearly all in full, or two digits of it would be all of it, and written `1e+02`."""
    return f"{100 * share:.{4 if share > 0.99 else 2}g} %"  # noqa: PLR2004


def sentence(words: str) -> str:
    """With one full stop, whatever they end with: a reason may be the last line of an app's log."""
    return words if words.endswith(" ...") else f"{words.rstrip('.')}."


def outcome(result: Mapping[str, Any]) -> list[str]:
    """How a rollout ended: the sentence that matters first, then the proof."""
    rollout = result["rollout"]
    new = release(rollout["to"], rollout["to_version"])
    old = release(rollout["from"], rollout["from_version"])
    took = f"{rollout['strategy']} in {seconds(rollout['seconds'] or 0)}"
    switch = rollout.get("switch_ms")
    switched = f", switched in {switch:.1f} ms" if switch is not None else ""
    stays = f"{rollout['service']} runs release {old} as before"
    if rollout.get("gone"):
        stays = f"Nothing of {rollout['service']} runs any more"
    elif rollout["from"] is None:
        stays = f"Nothing of {rollout['service']} runs: there was no release before it"
    why = sentence(rollout["reason"])
    back = f"Release {new} was taken back: {why} {stays}."
    failed = f"Release {new} failed: {why}"
    first = {
        "succeeded": f"{rollout['service']} runs release {new}: {took}{switched}.",
        "rolled_back": back,
        "aborted": back,
        "failed": f"{failed} {stays}." if rollout["from"] is None else failed,  # else the reason says what came back
    }[rollout["state"]]
    return [first, f"While it happened: {traffic(result['traffic']) if result['traffic'] else _ended(result)}."]


def _ended(result: Mapping[str, Any]) -> str:
    """Of a worker: it has no traffic that could be counted, but what it was at may have been lost."""
    stopped, ending, killed = (result["ended"][name] for name in ("stopped", "ending", "killed"))
    unsure = "killed" in result["ended"].get("uncounted", ())
    within = "" if unsure or not stopped else " within the grace"
    how = f", {killed:,} of them by SIGKILL after the grace" if killed else within
    going = f", {ending:,} still in the grace" if ending else ""
    left = f"; not counted: {_UNCOUNTED['killed']}" if unsure else ""
    return f"no traffic, for a worker; {plural(stopped, 'instance')} stopped{how}{going}{left}"
