"""Answers kept as a team's own price book: later bills need not ask again."""

import os
import re
from datetime import date
from pathlib import Path

from crossfade.aws.cost.live.live import Answers
from crossfade.aws.cost.prices.book import read
from crossfade.core.errors import RefusedError, WrongInputError

_PRICES = re.compile(r"^prices:[ \t]*(#.*)?$", re.MULTILINE)


def keep(path: Path, answers: Answers, day: date) -> None:
    """Add the answers to the book, or make it; what a team wrote stays as it is."""
    if not answers.prices:
        return
    source = f"AWS price list, asked on {day}"
    lines = "".join(f'\n  {key}: {{usd: {usd:f}, source: "{source}"}}' for key, usd in answers.prices.items())
    text = path.read_text(encoding="utf-8") if path.exists() else _new(answers.region)
    place = _PRICES.search(text)
    if place is None:
        raise WrongInputError(
            f"{path} has no line `prices:` with its prices below it, so no answer can be added",
            "write prices as a block: `prices:`, and each on a line of its own",
        )
    made = text[: place.end()] + lines + text[place.end() :]
    read(made.encode(), str(path))
    _write(path, made)


def _new(region: str) -> str:
    return (
        f"# Prices that AWS's price list has and crossfade's book has not.\nname: our book\nregion: {region}\nprices:\n"
    )


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise RefusedError(f"{path} cannot be written: {error.strerror}", "name another with --prices") from error
