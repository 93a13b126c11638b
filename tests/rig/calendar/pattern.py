"""Whether an event is one that a rule of EventBridge is for, as far as rules of ours need it.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
https://github.com/aws/event-ruler#json-array-matching: "will refuse to recognize any match in which any two fields
are within JSON objects that are in different elements of the same array".
"""

from typing import Any

from tests.rig.wire import Json


def matches(pattern: Json, event: Json) -> bool:
    """All that it names has to be there; what it does not name may be anything."""
    for name, wanted in pattern.items():
        found = event.get(name)
        if name == "$or":
            fits = any(matches(one, event) for one in wanted)
        elif isinstance(wanted, dict):
            fits = any(isinstance(one, dict) and matches(wanted, one) for one in _each(found))
        else:
            fits = any(_fits(one, asked) for one in _each(found) for asked in wanted)
        if not fits:
            return False
    return True


def _each(found: Any) -> list[Any]:
    """Its elements; nothing where it is not there."""
    return found if isinstance(found, list) else [] if found is None else [found]


def _fits(found: Any, asked: Any) -> bool:
    match asked:
        case {"prefix": str(start)}:
            return isinstance(found, str) and found.startswith(start)
        case {"anything-but": other}:
            return found not in _each(other)
        case dict():
            raise NotImplementedError(f"the rig does not know the comparison {asked}")
    return bool(found == asked)
