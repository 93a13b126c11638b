"""An error as an answer: JSON with its cause, its way out and its exit code."""

from typing import Any

from aiohttp import web

from crossfade.core.errors import CrossfadeError, UnchangedError

STATUS = {2: 400, 3: 409, 4: 503}  # of HTTP, by exit code


def refused(error: CrossfadeError, status: int | None = None) -> web.Response:
    """The answer to a request that was not done."""
    told: dict[str, Any] = {"cause": error.cause, "way_out": error.way_out, "exit_code": error.exit_code}
    if isinstance(error, UnchangedError):
        told["kind"] = "unchanged"
    return web.json_response({"error": told}, status=status or STATUS[error.exit_code])
