"""Headers of answers: by their names, or by short words for those that browsers protect visitors with."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic.json_schema import JsonSchemaValue

from crossfade.file.part import Clash
from crossfade.file.units import Notation, Text, read_duration

HEADER = Text(r"[A-Za-z][A-Za-z0-9-]{0,63}", "a header name of letters, digits and hyphens, or hsts, frame, nosniff")
_FRAMES = ("deny", "sameorigin")
_DAY = 86400
# Of the connection or of the body: the balancer's own business, and a wrong one breaks the answer.
_NOT_OURS = frozenset(
    {"connection", "content-length", "content-encoding", "date", "keep-alive", "set-cookie", "te", "trailer"}
    | {"transfer-encoding", "upgrade"}
)


@dataclass(frozen=True)
class HeaderValue(Notation):
    """Text of one line; true, and numbers as they are written."""

    def read(self, value: object) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        text = str(value) if isinstance(value, str | int) else ""
        if not text.strip() or not text.isascii() or not text.isprintable():
            raise ValueError("one line of ASCII text")
        return text.strip()

    def schema(self) -> JsonSchemaValue:
        return {"type": ["string", "integer", "boolean"]}


def wrong_headers(headers: Mapping[str, str]) -> Iterator[Clash]:
    """What is not to be said, and short words with a value that they do not know."""
    seen: set[str] = set()
    for name, value in headers.items():
        if name.lower() in _NOT_OURS:
            yield Clash(("headers", name), f"{name}, which belongs to the connection or the app", "any other header")
        try:
            full, _ = written(name, value)
        except ValueError as error:
            yield Clash(("headers", name), value, str(error))
            continue
        if full.lower() in seen:
            yield Clash(("headers", name), f"{full} twice", "each header once")
        seen.add(full.lower())


def written(name: str, value: str) -> tuple[str, str]:
    """The header as it is sent. ValueError says what the short word allows."""
    match name:
        case "hsts":
            return "Strict-Transport-Security", f"max-age={_seconds(value)}"
        case "frame":
            if value not in _FRAMES:
                raise ValueError("deny or sameorigin")
            return "X-Frame-Options", value.upper()
        case "nosniff":
            if value != "true":
                raise ValueError("true, or no nosniff at all")
            return "X-Content-Type-Options", "nosniff"
    return name, value


def _seconds(value: str) -> int:
    if value.endswith("y") and value[:-1].isdecimal():
        return int(value[:-1]) * 365 * _DAY
    try:
        return round(read_duration("365d" if value == "true" else value))
    except ValueError:
        raise ValueError("a duration such as 180d or 1y") from None
