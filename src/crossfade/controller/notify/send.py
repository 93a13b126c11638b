"""One message to one address: JSON to a webhook, a title and a text by Apprise to everything else.

An address is a secret: no error that leaves here has it, nor what a library says of it.
"""

import asyncio
import logging
from typing import Any

from crossfade import __version__
from crossfade.controller.notify.message import Message
from crossfade.core.errors import WrongInputError

SECONDS = 10.0  # that an answer may take
WEBHOOK = ("https://", "http://")
_AGAIN = frozenset({408, 425, 429})  # answers that ask for another try, among those that say it is our fault
_SORTS = {"succeeded": "success", "failed": "failure", "trouble": "warning"}  # in Apprise's words
_GOOD, _OURS, _THEIRS = 300, 400, 500  # answers below the first are good, from the second to the third our fault


class NotToldError(Exception):
    """A message was not told, and why. `hopeless`: it will not be the next time either."""

    def __init__(self, why: str, *, hopeless: bool = False) -> None:
        super().__init__(why)
        self.hopeless = hopeless


async def send(url: str, message: Message, *, again: bool) -> None:
    """Tell it. NotToldError when it was not, or when nobody can say."""
    if url.startswith(WEBHOOK):
        await _post(url, message.json(again=again))
    else:
        await asyncio.to_thread(_by_apprise, url, message)


def require_known(url: str, what: str) -> None:
    """WrongInputError for an address that nothing can be sent to; `what` names it without showing it."""
    if url.startswith(WEBHOOK):
        from yarl import URL  # noqa: PLC0415  aiohttp's own

        try:
            known = bool(URL(url).host)
        except ValueError:
            known = False
        if not known:
            raise WrongInputError(f"{what} is not an address", "https://host/path for a webhook")
        return
    if not _apprise().add(url):
        raise WrongInputError(
            f"{what} is not an address that Apprise knows",
            "https://host/path for a webhook, or as Apprise has it: slack://..., discord://..., mailto://...",
        )


async def _post(url: str, body: dict[str, Any]) -> None:
    """A redirect is no answer: what is behind it was not said by whoever gave the address."""
    import aiohttp  # noqa: PLC0415  only those pay for it who are told

    headers = {"User-Agent": f"crossfade/{__version__}", "Idempotency-Key": str(body["id"])}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as session,
            session.post(url, json=body, headers=headers, allow_redirects=False) as answer,
        ):
            status = answer.status
    except TimeoutError:
        raise NotToldError(f"it did not answer within {SECONDS:g} s") from None
    except aiohttp.InvalidURL:
        raise NotToldError("its address is none", hopeless=True) from None
    except (aiohttp.ClientError, OSError) as error:
        raise NotToldError(f"it cannot be reached ({type(error).__name__})") from None
    if _GOOD <= status < _OURS:
        raise NotToldError(f"it answered {status}, and a redirect is not followed", hopeless=True)
    if status >= _OURS:
        raise NotToldError(f"it answered {status}", hopeless=status < _THEIRS and status not in _AGAIN)


def _by_apprise(url: str, message: Message) -> None:
    told = _apprise()
    if not told.add(url):
        raise NotToldError("Apprise does not know its address", hopeless=True)
    sort = _SORTS[message.sort]  # which many of them show as a colour
    if not told.notify(title=message.title, body=message.text or message.title, notify_type=sort):
        raise NotToldError("Apprise could not deliver it")


def _apprise() -> Any:
    """Apprise, whose own log is silenced: it has addresses in it."""
    try:
        import apprise  # noqa: PLC0415  an extra, for those who are told by more than a webhook
    except ImportError:
        raise WrongInputError(
            "Apprise, which tells everything but webhooks, is not installed",
            "pip install 'crossfade[notify]' where the controller runs, then `crossfade down --controller`",
        ) from None
    logging.getLogger("apprise").disabled = True
    return apprise.Apprise()
