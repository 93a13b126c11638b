"""The file that an option such as `-o` names."""

from contextlib import suppress
from pathlib import Path

from crossfade.core.errors import RefusedError


def write(output: Path, text: str, option: str = "-o") -> None:
    """Write it whole or not at all. RefusedError, which names the option, where that cannot be.

    What is a link, a device or a pipe stays one, and is written to: as root a rename would put a file in the place of
    /dev/null.
    """
    try:
        if output.is_symlink() or (output.exists() and not output.is_file()):
            output.write_text(text, encoding="utf-8")
        else:
            _replace(output, text)
    except OSError as error:
        raise RefusedError(f"{output} cannot be written: {error.strerror}", f"name another with {option}") from error


def _replace(output: Path, text: str) -> None:
    beside = output.with_name(f".{output.name}.new")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(output)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise
