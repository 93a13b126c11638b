"""Which variables hold secrets, by their names and by the shape of their values. Everybody who asks, asks here."""

import re
from collections.abc import Collection

# Names that speak of nothing else, whatever the value is.
_SURE = re.compile(
    r"(?:^|_)(?:PASS|[A-Z]*PASS(?:WORD|WD|PHRASE)|PWD|SECRETS?|TOKEN|CREDENTIALS?"
    r"|(?:API|ACCESS|SECRET|PRIVATE|SIGNING|ENCRYPTION)_?KEY|REQUIREPASS|MASTERAUTH|(?:ERLANG|RELEASE)_COOKIE)(?:$|_)"
)
# Names that may: better one value too many is kept apart than one is written down.
_MAY = re.compile(r"PASSWORD|PASSWD|PASSPHRASE|SECRET|CREDENTIAL|(API|PRIVATE|ACCESS)_?KEY")
_WORDS = frozenset({"PW", "KEY", "KEYS", "SALT", "SALTS", "TOKENS", "PEPPER"})
# What a name is about when it ends like this: how long, how many, where, whether - and not the secret itself.
_ABOUT = frozenset(
    {
        *("TTL", "LIFETIME", "AGE", "MINUTES", "HOURS", "DAYS", "SECONDS"),
        *("LENGTH", "LEN", "SIZE", "COUNT", "COST", "LIMIT", "MAX", "MIN", "ROUNDS", "VERSION", "ENABLED", "DISABLED"),
        *("URL", "URI", "FILE", "PATH", "DIR", "HOST", "PORT", "NAME", "HEADER", "PREFIX", "TYPE", "ALGORITHM", "IN"),
        *("PUBLIC", "ISSUER", "AUDIENCE", "ENDPOINT", "POLICY", "REQUIRED", "INTERVAL", "TIMEOUT", "ARN", "ID"),
        "STDIN",
    }
)
_OF_SHELLS = frozenset({"PWD", "OLDPWD"})  # the folder where it is, and where it was
# ALLOW_EMPTY_PASSWORD=yes and MYSQL_RANDOM_ROOT_PASSWORD=1 say whether there is one.
_WHETHER = frozenset({"ALLOW", "RANDOM", "GENERATE", "REQUIRE", "DISABLE", "ENABLE", "SKIP", "USE"})
_SWITCHES = frozenset({"true", "false", "yes", "no", "on", "off", ""})
_PAIR = "ACCESS_KEY_ID"  # one half of AWS's credentials, and no id of a key
_LOGIN = re.compile(r"([a-z][a-z0-9+.-]{0,30}://[^/\s:@]*:)((?:[^/\s@]+@)+)", re.IGNORECASE)
_SHAPES = (
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), "holds an AWS access key"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"), "holds a private key"),
    (re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"), "holds a signed token (JWT)"),
    (
        re.compile(
            r"\b(?:gh[pousr]_\w{16}|github_pat_\w{16}|glpat-[\w-]{16}|xox[abeprs]-[\w-]{8}|[sr]k_(?:live|test)_\w{8}"
            r"|sk-[\w-]{16}|npm_\w{36}|hf_\w{30}|AIza[\w-]{30}|SG\.[\w-]{16,}\.[\w-]{16})"
        ),
        "holds a token of a known service",
    ),
    (
        re.compile(r"hooks\.slack\.com/services/\w|discord(?:app)?\.com/api/webhooks/\d+/\w"),
        "holds an address that lets anybody write there",
    ),
)
# Server=db;Password=..., -Dx.keyStorePassword=..., {"password": "..."}, rails['smtp_password'] = "..."
_IN_SETTINGS = re.compile(
    r"(?:password|passwd|\bpwd)(?:=(?!(?:true|false|[01])(?![^;&\s]))[^;\s]+|[\"']\]?\s*(?:=>?|[:,])\s*[\"'][^\"']+[\"'])",
    re.IGNORECASE,
)
_PAIRED = re.compile(r"[\w.@+-]+[:/][^\s/:]+")  # neo4j/geheim, as NEO4J_AUTH has it
_TELLING = 6  # characters of a value that is no part of other words
_HARMLESS = re.compile(
    r"[-+]?[0-9.]+\s?(ms|[smhdwy]|min|days?|hours?|minutes?)?|true|false|yes|no|on|off|", re.IGNORECASE
)
_PLACE = re.compile(r"([a-z][a-z0-9+.-]*://)?[\w./:@-]*/[\w./?=&%:@+-]*|[\w.-]+:[0-9]+", re.IGNORECASE)


def is_secret_name(name: str, *, sure: bool = False) -> bool:
    """True for DB_PASS, ENCRYPTION_KEY or jwtSecret; not for TOKEN_TTL, MAX_TOKENS or PUBLIC_KEY.

    `sure`: not for CACHE_KEY either, which may be anything.
    """
    words = _words_of(name)
    whole, named = "_".join(words), set(words)
    if (
        not words
        or name in _OF_SHELLS
        or named & {"PUBLIC", "MAX", "MIN", "LENGTH", "TTL"}
        or any(word.startswith("EXPIR") for word in words)
    ):
        return False
    if words[-1] in _ABOUT and not whole.endswith(_PAIR):
        return False
    return bool(_SURE.search(whole) or (not sure and (_MAY.search(whole) or named & _WORDS)))


def _words_of(name: str) -> list[str]:
    """DB, PASS of DB_PASS and of dbPass."""
    return [word.upper() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", name)]


def secret_in(value: str) -> str:
    """What in a text only a secret looks like, or nothing; the text itself is not shown."""
    if _LOGIN.search(value):
        return "holds a URL with a password in it"
    return next((why for shape, why in _SHAPES if shape.search(value)), "")


def password_in(value: str) -> str:
    """The password of a login in a URL; empty without one."""
    login = _LOGIN.search(value)
    return login[2][:-1] if login else ""


def is_secret_value(value: str) -> bool:
    """True for a text that only a secret looks like: a login in a URL, a private key, a token of a known service."""
    return bool(secret_in(value) or _IN_SETTINGS.search(value))


def may_be_secret(name: str, value: str) -> bool:
    """True for a variable whose value must not be shown, whatever it is this time."""
    return is_secret_name(name) or is_secret_value(value) or _is_login(name, value)


def is_secret(name: str, value: str) -> bool:
    """True when the variable must not stand in a file that everybody reads."""
    if is_secret_value(value) or _is_login(name, value):
        return True
    if not is_secret_name(name):
        # SECRET_FILE=/run/x and TOKEN_URL=https://x/y are places; SESSION_SECRET_NAME=long-random-text is not known.
        return False
    if value.lower() in _SWITCHES or (value in ("0", "1") and _WHETHER.intersection(_words_of(name))):
        return False
    counted = name.upper().endswith("TOKENS") and _HARMLESS.fullmatch(value) is not None
    return not counted and not (value.startswith(("/", "./")) and _PLACE.fullmatch(value))


def masked(value: str) -> str:
    """The value with the password of a URL hidden: postgres://shop:...@db/shop. Anything else is hidden whole."""
    hidden = _LOGIN.sub(r"\1...@", value)
    return hidden if hidden != value and not any(shape.search(hidden) for shape, _ in _SHAPES) else "..."


def _is_login(name: str, value: str) -> bool:
    return name.upper().endswith("_AUTH") and _PAIRED.fullmatch(value) is not None


def without_secrets(said: str, secrets: Collection[str]) -> str:
    """What a program said, without these values and the passwords in them.

    Short ones stay: they stand in many words that are none.
    """
    hidden = {part for value in secrets for part in (value, password_in(value), *value.splitlines())}
    for value in sorted(hidden, key=len, reverse=True):
        if len(value) >= _TELLING:
            said = said.replace(value, "...")
    return said
