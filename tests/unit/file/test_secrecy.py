"""Which variables hold secrets."""

import pytest

from crossfade.file.secrecy import is_secret, masked


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASS", "hunter2"),
        ("DB_PWD", "1"),
        ("PGPASSWORD", "1234"),
        ("ENCRYPTION_KEY", "abc"),
        ("APP_KEY", "base64:xyz"),
        ("PASSWORD_SALT", "a"),
        ("jwtSecret", "x"),
        ("SECRET_KEY_BASE", "x"),
        ("ACCESS_TOKEN", "x"),
        ("DATABASE_URL", "mysql://a:b@c/d"),
        ("CACHE", "redis://:geheim@cache:6379"),
        ("DSN", "Server=db;Password=geheim;"),
        ("HOOK", "https://hooks.slack.com/services/T0/B0/x"),
        ("ANYTHING", "sk_live_12345678"),
    ],
)
def test_secrets_are_known_by_name_or_shape(name: str, value: str) -> None:
    """Whatever convention the name follows."""
    assert is_secret(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_TOKENS", "4096"),
        ("TOKENS", "9"),
        ("JWT_EXPIRES_IN", "15m"),
        ("JWT_SECRET_EXPIRE", "15"),
        ("ACCESS_TOKEN_TTL", "3600"),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "30"),
        ("PASSWORD_MIN_LENGTH", "8"),
        ("SECRET_FILE", "/run/secrets/x"),
        ("TOKEN_URL", "https://id.example.com/token"),
        ("VAPID_PUBLIC_KEY", "BAbc"),
        ("KEYBOARD", "us"),
        ("MONKEY", "george"),
        ("CACHE_KEY_PREFIX", "shop"),
        ("API_KEY", ""),
        ("DATABASE_URL", "postgres://db/shop"),
        ("LOG_LEVEL", "info"),
    ],
)
def test_what_only_speaks_of_secrets_is_none(name: str, value: str) -> None:
    """How long they live, where they are, how many there are."""
    assert not is_secret(name, value)


def test_a_url_is_shown_without_its_password() -> None:
    """Host, user and name are what one needs; anything else is hidden whole."""
    assert masked("postgres://shop:geheim@db/shop") == "postgres://shop:...@db/shop"
    assert masked("geheim") == "..."
