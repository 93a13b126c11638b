"""The sockets on which an Envoy is asked for its ports by its successor, in its working directory."""

from pathlib import Path

HANDOVER = "handover"
# By default these are abstract sockets, which have no owner: every user of the machine could ask for the listening
# sockets, or end Envoy.
OPTIONS = ("--socket-path", HANDOVER, "--socket-mode", "600")
_AT_A_TIME = 3  # processes of one base id: Envoy uses the names of the one before those again


def there(directory: Path, base_id: int, epoch: int) -> bool:
    """Not when somebody deleted them: a successor that does not find them ends without a word of why."""
    number = base_id * 10 + epoch % _AT_A_TIME
    return all((directory / f"{HANDOVER}_{role}_{number}").exists() for role in ("parent", "udp_parent"))


def clear(directory: Path, base_id: int | None = None) -> None:
    """Remove what Envoys of this base id left, or all that were here: none of them does it."""
    for path in directory.glob(f"{HANDOVER}_*" if base_id is None else f"{HANDOVER}_*_{base_id}[0-9]"):
        path.unlink(missing_ok=True)
