"""Gaps of a plan's bill: what only the apply will tell, said, for a bill rests on something there."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from crossfade.aws.cost.catalog.catalog import by_code, verdict
from crossfade.aws.resources.resource import Resource

_MADE = re.compile(r"(?<!data\.)\baws_")  # what is made is in the plan itself, and found there
# By which something is found. A size, a number or a class is nowhere else in a plan, whatever it is worked out from.
_LEADS = re.compile(
    r"(?:.*[._])?(?:ids?|arns?|name|identifier|address|addresses|ami|bucket|cluster|destination|identifiers|instances?|ip"
    r"|network_interface|replicate_source_db|security_groups|specification|subnets|task_definition|launch_configuration)"
)


def untold(resources: Iterable[Resource]) -> Iterator[str]:
    """Sentences, one for each kind of thing and what is not told of it."""
    found: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for resource in resources:
        judged = verdict(resource.type) if resource.later else None
        if judged is None:
            continue
        paths = resource.later & (by_code().get(resource.type, frozenset()) | judged.reads)
        named = sorted(
            path
            for path in paths
            if not (_LEADS.fullmatch(path) and any(map(_MADE.search, resource.refers.get(path, ()))))
        )
        if named:
            found[resource.type, *named].append(resource.address)
    for (_, *named), where in found.items():
        more = f" and {len(where) - 1:,} more" if len(where) > 1 else ""
        yield f"only the apply will tell {', '.join(named)} of {where[0]}{more}, which its price depends on"
