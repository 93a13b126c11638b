"""Variables that hold secrets, told by their names and by the shape of their values."""

import re

_ALWAYS = re.compile(r"PASSWORD|PASSWD|PASSPHRASE|SECRET|CREDENTIAL|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY", re.IGNORECASE)
_WORDS = frozenset({"PASS", "PWD", "PW", "KEY", "KEYS", "SALT", "SALTS", "TOKEN", "TOKENS", "PEPPER", "SECRETS"})
# What a name is about when it ends like this: how long, how many, where, whether - and not the secret itself.
_ABOUT = frozenset(
    {
        *("EXPIRE", "EXPIRES", "EXPIRY", "EXPIRATION", "TTL", "LIFETIME", "AGE", "MINUTES", "HOURS", "DAYS", "SECONDS"),
        *("LENGTH", "LEN", "SIZE", "COUNT", "LIMIT", "MAX", "MIN", "ROUNDS", "VERSION", "ENABLED", "DISABLED"),
        *("URL", "URI", "FILE", "PATH", "DIR", "HOST", "PORT", "NAME", "HEADER", "PREFIX", "TYPE", "ALGORITHM", "IN"),
        *("PUBLIC", "ISSUER", "AUDIENCE", "ENDPOINT", "POLICY", "REQUIRED", "INTERVAL", "TIMEOUT"),
    }
)
_LOGIN_IN_URL = re.compile(r"://[^/@\s]*:[^/@\s]+@")
_SHAPES = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\b(sk|pk|rk)_live_\w{8}|\bsk-[\w-]{16}|\bgh[pousr]_\w{16}|\bgithub_pat_\w{16}"
    r"|\bglpat-[\w-]{16}"
    r"|\bxox[abps]-[\w-]{8}|\bAKIA[0-9A-Z]{16}\b|\bAIza[\w-]{30}|\beyJ[\w-]{10,}\.[\w-]{10,}\.|\bSG\.[\w-]{16}"
    r"|hooks\.slack\.com/services/\w|\b(password|pwd)=[^;\s]+",
    re.IGNORECASE,
)
_HARMLESS = re.compile(
    r"[-+]?[0-9.]+\s?(ms|[smhdwy]|min|days?|hours?|minutes?)?|true|false|yes|no|on|off|", re.IGNORECASE
)
_PLACE = re.compile(r"([a-z][a-z0-9+.-]*://)?[\w./:@-]*/[\w./?=&%:@+-]*|[\w.-]+:[0-9]+", re.IGNORECASE)


def is_secret_name(name: str) -> bool:
    """True for DB_PASS, ENCRYPTION_KEY or jwtSecret; not for TOKEN_TTL, MAX_TOKENS or PUBLIC_KEY."""
    words = [word.upper() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", name)]
    if not words or "PUBLIC" in words or words[-1] in _ABOUT or "MAX" in words or "MIN" in words:
        return False
    return bool(_ALWAYS.search(name) or set(words) & _WORDS) and not set(words) & {"EXPIRE", "EXPIRES", "TTL", "LENGTH"}


def is_secret_value(value: str) -> bool:
    """True for a text that only a secret looks like: a login in a URL, a private key, a token of a known service."""
    return bool(_LOGIN_IN_URL.search(value) or _SHAPES.search(value))


def is_secret(name: str, value: str) -> bool:
    """True when the variable must not stand in a file that everybody reads."""
    if is_secret_value(value):
        return True
    if not is_secret_name(name):
        # SECRET_FILE=/run/x and TOKEN_URL=https://x/y are places; SESSION_SECRET_NAME=long-random-text is not known.
        return False
    if value.lower() in ("true", "false", ""):
        return False
    counted = name.upper().endswith("TOKENS") and _HARMLESS.fullmatch(value) is not None
    return not counted and not (value.startswith(("/", "./")) and _PLACE.fullmatch(value))


def masked(value: str) -> str:
    """The value with the password of a URL hidden: postgres://shop:...@db/shop. Anything else is hidden whole."""
    hidden = _LOGIN_IN_URL.sub(lambda match: re.sub(r":[^:]*@$", ":...@", match[0]), value)
    return hidden if hidden != value and not _SHAPES.search(hidden) else "..."
