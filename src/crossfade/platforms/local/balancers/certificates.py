"""The user's certificates under names that change when their content does, so that a renewed one is noticed."""

import hashlib
import ssl
from collections.abc import Iterable
from pathlib import Path

from crossfade.core.errors import WrongInputError
from crossfade.core.service import Tls


class Certificates:
    """Symbolic links in a folder of ours; keys themselves are never copied."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Tls, tuple[str, str]] = {}  # pairs that were found to belong together

    def links(self, certificates: Iterable[Tls]) -> dict[Tls, tuple[str, str]]:
        """Where certificate and key of each are to be read: `folder/name`, another name for other content.

        WrongInputError when a pair is missing, unreadable, or does not belong together.
        """
        return {tls: self._link(tls) for tls in certificates}

    def pairs(self, certificates: Iterable[Tls]) -> dict[Tls, tuple[str, str]]:
        """Certificate and key of each as they are now. WrongInputError as in `links`."""
        self._known = {tls: self._pair(tls) for tls in certificates}
        return self._known

    def changed(self) -> bool:
        """Is one of those that were asked for last another one by now?"""
        return any((_text(tls.certificate), _text(tls.key)) != pair for tls, pair in self._known.items())

    def _pair(self, tls: Tls) -> tuple[str, str]:
        pair = _text(tls.certificate), _text(tls.key)
        if self._known.get(tls) != pair:
            _require_pair(tls)
        return pair

    def _link(self, tls: Tls) -> tuple[str, str]:
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
