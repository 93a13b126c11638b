"""The file that `-o` names."""

from contextlib import suppress
from pathlib import Path

from crossfade.core.errors import RefusedError


def write(output: Path, text: str) -> None:
    """Write beside and rename, so that nobody reads a half. RefusedError where that cannot be; then nothing is left."""
    beside = output.with_name(f".{output.name}.new")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(output)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise RefusedError(f"{output} cannot be written: {error.strerror}", "name another with -o") from error
