"""Routing as HAProxy's maps: what a switch changes, in one step, while everything else stays as it is."""

from collections.abc import Iterator, Mapping

from crossfade.platforms.local.balancers import visitors
from crossfade.platforms.local.balancers.book import Entry
from crossfade.platforms.local.balancers.haproxy.slots import Slots, backend
from crossfade.platforms.local.balancers.previews import named

# `shop/web` -> its backend, or `shop/web:0` to `shop/web:999` -> those that share it; where visitors stay with their
# release, `shop/web=7` -> the backend of 7, and `shop/web@` and the backend -> 7
ROUTES = "routes.map"
# `shop/web/7:SECRET` by its full name, `shop/web?SECRET` by the secret alone, `shop/web?` at its own port
PREVIEWS = "previews.map"
SHARES = 1000  # a client draws one of these numbers, so a share is exact to a tenth of a percent

Map = Mapping[str, str]


def maps(entries: Mapping[str, Entry], slots: Slots, secrets: Mapping[str, str]) -> dict[str, Map]:
    """Both maps by the name of their file. `secrets` are those of previews by service."""
    return {
        ROUTES: {key: value for entry in entries.values() for key, value in _routes(entry, slots)},
        PREVIEWS: {key: value for entry in entries.values() for key, value in _previews(entry, slots, secrets)},
    }


def text(entries: Map) -> str:
    return "".join(f"{key} {value}\n" for key, value in entries.items())


def _routes(entry: Entry, slots: Slots) -> Iterator[tuple[str, str]]:
    """Shares lie one after the other in release order, so that a client's hash keeps its side while the last grows."""
    key = entry.service.key
    filled = {group.release for group in entry.routing.groups if group.registered}
    weights = [(release, weight) for release, weight in entry.routing.weights if release in filled]
    if not weights:
        return
    for release in visitors.stayed_with(entry):
        to = backend(key, slots.of(key)[release])
        yield f"{key}={release}", to
        yield f"{key}@{to}", str(release)
    if len(weights) == 1:
        yield key, backend(key, slots.of(key)[weights[0][0]])
        return
    total, below, begin = sum(weight for _, weight in weights), 0, 0
    for release, weight in weights:
        below += weight
        end = round(below * SHARES / total)
        for number in range(begin, end):
            yield f"{key}:{number}", backend(key, slots.of(key)[release])
        begin = end


def _previews(entry: Entry, slots: Slots, secrets: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    key, release = entry.service.key, entry.routing.preview
    if release is not None and any(g.release == release and g.registered for g in entry.routing.groups):
        to = backend(key, slots.of(key)[release])
        for word in (named(key, release, secrets[key]), f"{key}?{secrets[key]}", f"{key}?"):
            yield word, to
