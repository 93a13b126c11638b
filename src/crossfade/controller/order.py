"""An order: who wants something, and how."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What every order to a service carries; deploy and rollback read all of it."""

    by: str
    path: str = ""  # PATH of the shell that asked
    version: str = ""  # the label for a new release
    force: bool = False
    supersede: bool = False
