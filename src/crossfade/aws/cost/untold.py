"""Gaps of a plan's bill: what only the apply will tell, said, for a bill rests on something there."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from crossfade.aws.cost.catalog.catalog import by_code, verdict
from crossfade.aws.resources.resource import Resource

_MADE = re.compile(r"(?<!data\.)\baws_")  # what is made is in the plan itself, and found there


def untold(resources: Iterable[Resource]) -> Iterator[str]:
    """Sentences, one for each kind of thing and what is not told of it."""
    found: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for resource in resources:
        judged = verdict(resource.type) if resource.later else None
        if judged is None:
            continue
        paths = resource.later & (by_code().get(resource.type, frozenset()) | judged.reads)
        named = sorted(path for path in paths if not any(map(_MADE.search, resource.refers.get(path, ()))))
        if named:
            found[resource.type, *named].append(resource.address)
    for (_, *named), where in found.items():
        more = f" and {len(where) - 1:,} more" if len(where) > 1 else ""
        yield f"only the apply will tell {', '.join(named)} of {where[0]}{more}, which its price depends on"
