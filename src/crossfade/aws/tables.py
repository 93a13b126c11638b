"""Our own tables, in YAML: what is written in them is ours, so they are read at once and without places for mistakes.

Files of other people go through `file/reading/document.py`, which remembers where everything stands.
"""

from importlib.resources import files
from typing import Any

import yaml

# The one in C is about ten times faster; both make nothing but plain values.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# As typed: 0.10 stays "0.10", and 1.30 is no number.
_AsTyped: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def table(package: str, name: str) -> Any:
    """What a file of a package says."""
    return understood(files(package).joinpath(name).read_text("utf-8"))


def understood(text: str) -> Any:
    """What a table says, or a part of one."""
    return yaml.load(text, Loader=_Loader)  # noqa: S506  a safe one


def as_typed(text: str) -> Any:
    """The same with every value as the text that was typed; also JSON or YAML as AWS takes both."""
    return yaml.load(text, Loader=_AsTyped)  # noqa: S506  one that makes texts only
