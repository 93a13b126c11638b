"""Which variables hold secrets."""

import pytest

from crossfade.telling.secrecy import is_secret, is_secret_name, masked, secret_in, without_secrets


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
        ("RELEASE_COOKIE", "abc"),
        ("GITLAB_OMNIBUS_CONFIG", "gitlab_rails['smtp_password'] = \"geheim\"\n"),
        ("JAVA_OPTS", "-Djavax.net.ssl.keyStorePassword=geheim"),
        ("SPRING_APPLICATION_JSON", '{"spring.datasource.password": "geheim"}'),
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
        ("PWD", "/srv/shop"),
        ("ALLOW_EMPTY_PASSWORD", "yes"),
        ("MYSQL_RANDOM_ROOT_PASSWORD", "1"),
        ("allowEmptyPassword", "1"),
        ("RESET_LINK", "https://shop.example.com/?forgot_password=1"),
    ],
)
def test_what_only_speaks_of_secrets_is_none(name: str, value: str) -> None:
    """How long they live, where they are, how many there are."""
    assert not is_secret(name, value)


def test_a_url_is_shown_without_its_password() -> None:
    """Host, user and name are what one needs; anything else is hidden whole."""
    assert masked("postgres://shop:geheim@db/shop") == "postgres://shop:...@db/shop"
    assert masked("geheim") == "..."


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("amqp://app:ge:heim@mq:5672", "amqp://app:...@mq:5672"),
        ("postgres://app:ge@heim@db/shop", "postgres://app:...@db/shop"),
        ("redis://:geheim@a,redis://:geheim@b", "redis://:...@a,redis://:...@b"),
        ("postgres://app:geheim@db?token=ghp_" + "a1B2" * 9, "..."),
    ],
)
def test_no_part_of_a_password_is_shown(text: str, shown: str) -> None:
    """Whatever letters it has."""
    assert masked(text) == shown


@pytest.mark.parametrize(("name", "value"), [("NEO4J_AUTH", "neo4j/geheim"), ("BASIC_AUTH", "admin:geheim")])
def test_a_user_with_a_password_is_a_secret(name: str, value: str) -> None:
    """Where the name says that it is one; `none` and `true` are none."""
    assert is_secret(name, value)
    assert not is_secret(name, "none")


@pytest.mark.parametrize(
    "name", ["CACHE_KEY", "PASSWORD_SALT_ROUNDS", "KMS_KEY_ID", "TOKENIZER", "SECRETSMANAGER_REGION"]
)
def test_a_name_that_may_mean_anything_is_not_surely_a_secret(name: str) -> None:
    """An audit that cries wolf is read by nobody."""
    assert not is_secret_name(name, sure=True)


@pytest.mark.parametrize("name", ["DB_PASSWORD", "jwtSecret", "AWS_ACCESS_KEY_ID", "STRIPE_API_KEY", "requirepass"])
def test_a_name_that_speaks_of_nothing_else_surely_is_one(name: str) -> None:
    """In whatever letters."""
    assert is_secret_name(name, sure=True)


def test_what_a_program_says_is_told_without_its_secrets() -> None:
    """Nor a password of one of them alone; short values stay, which stand in many words."""
    secrets = ["postgres://app:ge+heim@db/shop", "abcdef12", "1"]
    said = "postgres://app:ge+heim@db/shop refused ge+heim and abcdef12 (1 of 1)"
    assert without_secrets(said, secrets) == "... refused ... and ... (1 of 1)"


def test_a_key_of_many_lines_is_hidden_line_by_line() -> None:
    """Programs write lines, and a value may be several."""
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----"
    assert without_secrets("bad key near MIIEvQIBADANBg", [key]) == "bad key near ..."


def test_a_long_text_is_looked_through_once() -> None:
    """A host's script of a megabyte may be one word; were each of its letters a beginning, this would take a day."""
    assert secret_in("a" * 1_000_000) == ""
