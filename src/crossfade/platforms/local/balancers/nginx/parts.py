"""Parts of pages that only another release has: asked of it when a release says that it does not have them.

A release that answers with a page instead is believed: nginx looks at the status alone.
"""

from collections.abc import Iterator

from crossfade.platforms.local.balancers.book import Entry
from crossfade.platforms.local.balancers.nginx.words import block, upstream
from crossfade.platforms.local.pages import PART_ENDINGS, PARTS

ASKED = f"""map "$request_method:$http_upgrade:$http_sec_fetch_dest:$uri" $cf_part {{
  default '';
  '~^GET::({PARTS}):' part;
  '~^GET:::.*\\.({PART_ENDINGS})$' part;
}}"""
_LACKED = "404 410"


def others(entry: Entry) -> dict[str, str]:
    """By release, as upstreams are called: the newest other one that may answer clients, where there is one."""
    key, registered = entry.service.key, [group.release for group in entry.routing.groups if group.registered]
    found = {}
    for release in registered:
        other = next((one.release for one in entry.routing.stand_ins(release) if one.registered), None)
        if other is not None:
            found[upstream(key, release)] = upstream(key, other)
    return found


def variables(name: str, entry: Entry) -> Iterator[str]:
    """`$s0_else` is the release that is asked next; clients alone have one, for a preview shows a release as it is."""
    if there := others(entry):
        lines = [f'"clients:{one}" {other};' for one, other in there.items()]
        yield block(f'map "$cf_kind:$cf_group" ${name}_else', ["default '';", *lines])


def sent_there(name: str) -> list[str]:
    """In a place of clients: parts of pages go by way of `places`."""
    return [
        f'set $cf_missing "$cf_part:${name}_else";',
        "if ($cf_missing ~ '^part:.') { return 420; }",
        f"error_page 420 = @{name}_parts;",
        "recursive_error_pages on;",
    ]


def places(name: str, added: list[str]) -> Iterator[str]:
    """The first release, then the other one, whose answer counts whatever it is; one that is dead lacks it, too."""
    asked = ["proxy_intercept_errors on;", "recursive_error_pages on;", f"error_page {_LACKED} = @{name}_else;"]
    yield block(f"location @{name}_parts", [*asked, *added, "proxy_pass http://$cf_group;"])
    gone = ["recursive_error_pages on;", "error_page 502 504 = @cf_gone;"]
    yield block(f"location @{name}_else", [*gone, *added, f"proxy_pass http://${name}_else;"])


GONE = "location @cf_gone { return 404; }"
