"""Secrets in variables, told by a name, by the shape of a value, or by its randomness.

What is said about it never shows the value.
"""

import math
import re
from collections import Counter

from crossfade.telling.secrecy import is_secret_name, secret_in

_FINGERPRINT = re.compile(r"(?:^|_)(?:SHA\d*|COMMIT|DIGEST|REVISION|CHECKSUM|HASH|PUBLIC_KEY|FINGERPRINT|BUILD)(?:$|_)")
_WORDLIKE = re.compile(r"[\w+/=-]{24,}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-fA-F]+")
_PLACEHOLDER = re.compile(r"(?i)(?:true|false|yes|no|on|off|none|null|\d+|[/.~].*|arn:.*|\$.*|\{.*|<.*|\*+)?")
# DB_SECRET=prod/shop/db: which one it is.
_NAMES_ONE = re.compile(r"(?:^|_)(?:SECRETS?|CREDENTIALS?)$")
_ITS_NAME = re.compile(r"[a-z][a-z0-9_-]*(?:/[a-z][a-z0-9_-]*)+")
# Bits a character. Random hexadecimal has up to 4, English some 3; random base64 of 24 characters about 4.3.
_RANDOM_HEX, _RANDOM = 3.0, 4.0


def looks_secret(name: str, value: str, *, named: bool = True) -> str:
    """Why this looks like a secret, or nothing. Its name alone counts where `named`."""
    if why := secret_in(value):
        return why
    upper = name.upper()
    if _PLACEHOLDER.fullmatch(value) or upper.startswith(("NEXT_PUBLIC_", "VITE_", "REACT_APP_")):
        return ""
    if _NAMES_ONE.search(upper) and _ITS_NAME.fullmatch(value):
        return ""
    if named and is_secret_name(name, sure=True):
        return "has the name of a secret"
    return "holds a random value, as a key would" if not _FINGERPRINT.search(upper) and _is_random(value) else ""


def _is_random(value: str) -> bool:
    if not _WORDLIKE.fullmatch(value) or _UUID.fullmatch(value):
        return False
    if not re.search(r"\d", value) or not re.search(r"[A-Za-z]", value):
        return False
    if _HEX.fullmatch(value):
        return len(value) >= 32 and _entropy(value) >= _RANDOM_HEX  # noqa: PLR2004  16 bytes, the shortest key
    # A sentence of words joined by hyphens is long and varied too, but has its vowels in lower-case letters only.
    mixed = bool(re.search(r"[a-z]", value)) and bool(re.search(r"[A-Z]", value))
    return mixed and _entropy(value) >= _RANDOM


def _entropy(text: str) -> float:
    """Bits a character, by how often each occurs."""
    shares = [count / len(text) for count in Counter(text).values()]
    return -sum(share * math.log2(share) for share in shares)
