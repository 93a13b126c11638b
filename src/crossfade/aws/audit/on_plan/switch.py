"""Switches of the provider, some of which are text."""

from typing import Any


def is_on(value: Any) -> bool:
    """True for true and "true"; a switch that is missing is off."""
    return value is True or value == "true"


def number(value: Any) -> int | None:
    """A whole number, also where the provider has it as text: the memory of a task is "512"."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value)
    return int(value) if isinstance(value, str) and value.isdigit() else None
