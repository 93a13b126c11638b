"""The certificates as they are now: a renewed one is noticed, a broken one is trouble of its own host alone."""

import hashlib
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from crossfade.core.errors import WrongInputError
from crossfade.core.service import Tls
from crossfade.platforms.local.balancers.book import Entry

_REPLACED_WITHIN = 10.0  # seconds from a renewal's first file to its last

Pair = tuple[str, str]
Entries = Mapping[str, Entry]


class Certificates:
    """Symbolic links in a folder of ours, for who reads files; keys themselves are never copied."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._good: dict[Tls, Pair] = {}  # what was given last for a pair that belonged together
        self._broken_since: dict[Tls, float] = {}
        self._seen: dict[Tls, Pair] = {}  # what was read last, good or not
        self._broken: dict[Tls, str] = {}
        self._dark: dict[str, tuple[Entry, Entry]] = {}

    @property
    def complaints(self) -> tuple[str, ...]:
        """Of those that were asked for last, what is wrong with them."""
        return tuple(self._broken.values())

    def links(self, entries: Entries, before: Entries) -> dict[Tls, Pair]:
        """Where certificate and key of each are to be read: `folder/name`, another name for other content.

        One that cannot be used is left out, but not at once: it may just be being replaced, file by file.
        WrongInputError when it was not asked for `before`.
        """
        return self._each(entries, before, self._link, kept=_REPLACED_WITHIN)

    def pairs(self, entries: Entries, before: Entries) -> dict[Tls, Pair]:
        """Certificate and key of each. One that cannot be used stays as it was while we know how that was.

        WrongInputError as in `links`.
        """
        return self._each(entries, before, self._pair, kept=float("inf"))

    def lit(self, entries: Entries, usable: Mapping[Tls, Pair]) -> dict[str, Entry]:
        """The services as they can be served: without a certificate one has no HTTPS, and HTTP stays what it was."""
        found: dict[str, Entry] = {}
        for key, entry in entries.items():
            listener = entry.service.listener
            if listener.tls is None or listener.tls in usable:
                found[key] = entry
                continue
            known = self._dark.get(key)
            if known is None or known[0] is not entry:
                dark = replace(listener, tls=replace(listener.tls, certificate="", key=""))
                known = entry, replace(entry, service=replace(entry.service, listener=dark))
            self._dark[key] = known
            found[key] = known[1]
        return found

    def begin_anew(self) -> None:
        """A balancer that reads files is about to start: what the one before had read is gone with it."""
        self._good = {}

    def changed(self) -> bool:
        """Is one of those that were asked for last another one by now?"""
        return any(_read(tls) != read for tls, read in self._seen.items())

    def _each(self, entries: Entries, before: Entries, get: Callable[[Tls], Pair], kept: float) -> dict[Tls, Pair]:
        wanted = {tls: key for key, entry in sorted(entries.items()) if (tls := _tls(entry))}
        known = {_tls(entry) for entry in before.values()}
        self._seen = {tls: _read(tls) for tls in wanted}
        broken, found = {}, {}
        for tls, key in wanted.items():
            try:
                found[tls] = get(tls)
            except WrongInputError as error:
                if tls not in known:
                    raise
                broken[tls] = f"{key} is not served over HTTPS as it should be: {error.cause}"
        now = time.monotonic()
        self._broken = broken
        self._broken_since = {tls: self._broken_since.get(tls, now) for tls in broken}
        for tls, since in self._broken_since.items():
            if tls in self._good and now < since + kept:
                found[tls] = self._good[tls]
        self._good = dict(found)
        return found

    def _pair(self, tls: Tls) -> Pair:
        pair = _text(tls.certificate), _text(tls.key)
        if self._good.get(tls) != pair:
            _require_pair(tls)
        return pair

    def _link(self, tls: Tls) -> Pair:
        certificate, key = Path(tls.certificate).absolute(), Path(tls.key).absolute()
        try:
            content = hashlib.sha256(certificate.read_bytes() + key.read_bytes() + str(certificate).encode())
        except OSError as error:
            raise _unreadable(error.filename, error) from error
        stem = content.hexdigest()[:16]
        names = (self._folder / f"{stem}.crt", self._folder / f"{stem}.key")
        if not all(name.is_symlink() for name in names):
            _require_pair(tls)
            for name, target in zip(names, (certificate, key), strict=True):
                name.unlink(missing_ok=True)
                name.symlink_to(target)
        return f"{self._folder.name}/{stem}.crt", f"{self._folder.name}/{stem}.key"


def _tls(entry: Entry) -> Tls | None:
    listener = entry.service.listener
    return listener.tls if entry.exposed and listener.https is not None else None


def _read(tls: Tls) -> Pair:
    """Both files as they are; of what cannot be read, why not."""
    found = []
    for path in (tls.certificate, tls.key):
        try:
            found.append(_text(path))
        except WrongInputError as error:
            found.append(error.cause)
    return found[0], found[1]


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")  # what is not ASCII is a comment
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: OSError) -> WrongInputError:
    return WrongInputError(
        f"certificate or key cannot be read: {path}: {error.strerror}", "check listen.tls and who may read the files"
    )


def _require_pair(tls: Tls) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tls.certificate, tls.key)
    except (ssl.SSLError, OSError) as error:
        raise WrongInputError(
            f"{tls.certificate} and {tls.key} cannot be used: {error}", "give a PEM certificate chain and its own key"
        ) from error
