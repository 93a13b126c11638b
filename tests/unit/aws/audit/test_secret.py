"""What looks like a secret in plain environment, and what only sounds like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.aws.audit.secret import looks_secret

# Put together here, so that no scanner of this repository takes them for real ones.
AWS_KEY = "AKIA" + "ABCDEFGHIJKLMNOP"
GITHUB = "ghp_" + "a1B2" * 9
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0." + "c2lnbmF0dXJlLWhlcmU"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "hunter2"),
        ("PASSWORD", "changeme"),
        ("jwt_secret", "short"),
        ("STRIPE_API_KEY", "abc"),
        ("SESSION_TOKEN", "abc"),
        ("DATABASE_URL", "postgres://app:hunter2@db:5432/app"),
        ("CELERY_BROKER", "redis://:hunter2@cache:6379/0"),
        ("WHATEVER", AWS_KEY),
        ("WHATEVER", GITHUB),
        ("WHATEVER", JWT),
        ("WHATEVER", "-----BEGIN RSA PRIVATE KEY-----\nMIIE"),
        ("WHATEVER", "q8Zr1tYw6Kp3Vb9Xc2Ns5Mf7Jh4Lg0Da"),
        ("WHATEVER", "9f86d081884c7d659a2feaa0c55ad015"),
    ],
)
def test_secrets_are_found(name: str, value: str) -> None:
    """By name, by the shape of the value, or because it is random."""
    assert looks_secret(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOG_LEVEL", "info"),
        ("JWT_TOKEN_TTL", "3600"),
        ("PASSWORD_MIN_LENGTH", "12"),
        ("TOKEN_URL", "https://login.example.com/oauth/token"),
        ("DB_PASSWORD_FILE", "/run/secrets/db"),
        ("API_KEY", ""),
        ("API_KEY", "$(from elsewhere)"),
        ("NEXT_PUBLIC_API_KEY", "pk_visible"),
        ("DATABASE_URL", "postgres://db:5432/app"),
        ("HOME_PAGE", "https://example.com/a-rather-long-path-with-many-words/2024"),
        ("GIT_COMMIT", "9f86d081884c7d659a2feaa0c55ad01512345678"),
        ("REQUEST_ID", "3f2504e0-4f89-41d3-9a0c-0305e82c3301"),
        ("FEATURES", "dark-mode,new-checkout,beta-search"),
        ("SERVICE", "shop-prod-web-blue-target-group-1"),
        ("MAIL_SUBJECT", "Your password was changed"),
        ("SECRETS_ENABLED", "true"),
        ("TOKENIZER", "wordpiece"),
        ("MONKEY", "business"),
    ],
)
def test_what_only_sounds_like_one_is_not(name: str, value: str) -> None:
    """Settings about secrets, addresses, fingerprints and words."""
    assert looks_secret(name, value) == ""


@given(st.text(min_size=1), st.text(min_size=8, alphabet=st.characters(codec="ascii", categories=["L", "N"])))
def test_a_value_is_never_shown(name: str, value: str) -> None:
    """What is said of a secret does not hold it."""
    assert value not in looks_secret(name, value)
    assert value not in looks_secret("PASSWORD", value)
