"""A service's variables: values, secrets, names of other services."""

import json
from pathlib import Path

import pytest
from tests.unit.file.compose.composed import Composed, one, services

from crossfade.file.init.compose.carry import from_compose

WEB = {"image": "acme/web:1", "ports": ["3000:3000"]}


def test_secrets_are_only_named(tmp_path: Path) -> None:
    """By name and shape; what only counts tokens keeps its value."""
    carried = one(
        tmp_path, "environment: {DB_PASS: hunter2, ENCRYPTION_KEY: abc, APP_KEY: 'base64:xyz', MAX_TOKENS: '4096'}"
    )
    assert carried.service().env == {"MAX_TOKENS": "4096"}
    assert carried.service().secrets == ("DB_PASS", "ENCRYPTION_KEY", "APP_KEY")
    assert carried.todo("services.web.secrets").startswith("export DB_PASS, ENCRYPTION_KEY, APP_KEY")
    assert not any(secret in carried.text + str(carried.left) for secret in ("hunter2", "abc", "xyz"))


def test_a_secret_made_of_variables_shows_how(tmp_path: Path) -> None:
    """As Compose has it, in the file; what is set nowhere is asked for, and nothing that has a default."""
    made = "postgres://app:${DB_PASSWORD}@db:5432/${DB_NAME:-shop}"
    carried = one(tmp_path, f"environment: {{DATABASE_URL: '{made}', PASS: '${{DB_PASSWORD:?say it}}'}}")
    assert {name: one.value for name, one in carried.service().secrets.sources.items()} == {
        "DATABASE_URL": made,
        "PASS": "${DB_PASSWORD:?say it}",
    }
    assert carried.todo("services.web.secrets") == "export DB_PASSWORD, or write it to .env beside this file"


def test_a_secret_that_dotenv_fills_in_is_not_shown(tmp_path: Path) -> None:
    """Nor written, under whatever name it goes on: the file says what it is made of, and nothing is left to do."""
    carried = one(
        tmp_path,
        "environment: {A: '${DB_PASSWORD}', B: 'x://u:${DB_PASSWORD}@h'}",
        files={".env": "DB_PASSWORD=geheim\n"},
    )
    assert carried.service().secrets == ("A", "B")
    assert "geheim" not in carried.text + str(carried.left) + str(carried.draft.todos)
    assert {name: one.value for name, one in carried.service().secrets.sources.items()} == {
        "A": "${DB_PASSWORD}",
        "B": "x://u:${DB_PASSWORD}@h",
    }
    assert carried.todo("services.web.secrets") == ""


def test_a_secret_made_of_another_name_of_a_store_has_the_one_it_has_here(tmp_path: Path) -> None:
    """As any variable has."""
    text = services(
        web={**WEB, "environment": {"URL": "postgres://u:${PW}@my_db:5432/x"}},
        my_db={"image": "postgres:16", "environment": {"POSTGRES_PASSWORD": "${PW}"}},
    )
    carried = Composed(tmp_path, text, {".env": "PW=geheim\n"})
    assert carried.service().secrets.sources["URL"].value == "postgres://u:${PW}@my-db:5432/x"
    assert carried.app.stores["my-db"].secrets.sources["POSTGRES_PASSWORD"].value == "${PW}"


def test_what_a_secret_was_made_of_stands_where_it_is_asked_for(tmp_path: Path) -> None:
    """Where the file cannot say it somebody has to put it together."""
    url = "postgres://app:$${DB_PASSWORD}-$$1@db/x".replace("$${", "${")
    carried = one(tmp_path, f"environment: {{URL: '{url}', OTHER_TOKEN: '${{OTHER_TOKEN}}'}}")
    assert carried.todo("services.web.secrets") == (
        "export URL, OTHER_TOKEN, or write them to .env beside this file (URL was postgres://app:${DB_PASSWORD}-$1@db/x)"
    )


def test_what_may_be_unset_is_not_required(tmp_path: Path) -> None:
    """An empty value where Compose has one, nothing where it has nothing; a secret and `:?` must be there."""
    carried = one(
        tmp_path,
        "environment: [FEATURE_X, FEATURE_Y, STRIPE_KEY, 'LOG=${LOG_LEVEL}', 'MUST=${MUST:?say it}', 'E=${E_KEY:-}']",
    )
    assert carried.service().env == {"LOG": ""}
    assert carried.service().secrets == ("STRIPE_KEY", "MUST", "E")
    assert "MUST was ${MUST:?say it} (say it)" in carried.why("the value of MUST")
    assert [left.what for left in carried.left if "passed through" in left.what] == [
        "variables passed through (2: FEATURE_X, FEATURE_Y)"
    ]


def test_a_pass_through_has_the_value_of_dotenv(tmp_path: Path) -> None:
    """As Compose gives it."""
    carried = one(tmp_path, "environment: [FEATURE_X]", files={".env": "FEATURE_X=on\n"})
    assert carried.service().env == {"FEATURE_X": "on"}


NAMED = {"default": {"aliases": ["alias-of-cache"]}}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DB_HOST", "db"),
        ("CACHE", "redis://cache:6379/0"),
        ("BROKERS", "db:1,cache:2"),
        ("REDIS_NODES", "cache,other"),
        ("SPRING_URL", "jdbc:postgresql://db:5432/shop?x=y"),
        ("DSN", "host=db port=5432"),
        ("CONNECTION", "Server=db;Database=shop"),
        ("SENTINEL", "alias-of-cache:26379"),
        ("DB", "db"),
    ],
)
def test_what_stays_in_compose_is_found_by_its_name_on_its_network(tmp_path: Path, variable: str, value: str) -> None:
    """The file joins it, and the variable stays as it is."""
    carried = Composed(
        tmp_path,
        services(
            db={"image": "acme/mail:1", "ports": ["25:25"]},
            cache={"image": "acme/mail:1", "ports": ["25:25"], "networks": NAMED},
            web={**WEB, "environment": {variable: value}},
        ),
    )
    assert carried.service().env == {variable: value}
    assert carried.todo(f"services.web.env.{variable}") == ""
    assert carried.app.network == f"{tmp_path.name.replace('[', '').replace(']', '')}_default"


def test_the_network_of_a_compose_project_is_named_as_compose_names_it(tmp_path: Path) -> None:
    """By the project, unless it has a name of its own; one on another network is told."""
    db = {"image": "acme/mail:1", "ports": ["25:25"], "networks": ["back"]}
    web = {**WEB, "environment": {"DB_HOST": "db", "CACHE_HOST": "cache"}}
    text = {"name": "shop", "services": {"db": db, "cache": {"image": "acme/mail:1", "ports": ["25:25"]}, "web": web}}
    assert Composed(tmp_path, json.dumps(text)).app.network == "shop_back"
    text["networks"] = {"back": {"name": "own"}}
    carried = Composed(tmp_path, json.dumps(text))
    assert carried.app.network == "own"
    assert "on no network that this file joins" in carried.todo("services.web.env.CACHE_HOST")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("POSTGRES_USER", "db"),
        ("DB_NAME", "db"),
        ("DB_DATABASE", "db"),
        ("NODE_ENV", "web"),
        ("DB_CONNECTION", "db"),
        ("URL", "https://db.example.com/cache"),
        ("PATHS", "/var/db/cache"),
        ("TEXT", "the db and the cache"),
    ],
)
def test_a_word_that_is_no_address_is_left_alone(tmp_path: Path, variable: str, value: str) -> None:
    """Users, databases and modes are often called as a service is."""
    carried = Composed(
        tmp_path,
        services(
            db={"image": "postgres:16"}, cache={"image": "redis:7"}, web={**WEB, "environment": {variable: value}}
        ),
    )
    assert carried.todo(f"services.web.env.{variable}") == ""


def test_a_service_of_the_file_is_found_by_its_name(tmp_path: Path) -> None:
    """Which leads to the balancer; another name that its container had is written so."""
    carried = Composed(
        tmp_path,
        services(
            api={"image": "acme/api:1", "ports": ["4000:4000"], "container_name": "the-api"},
            web={**WEB, "environment": {"API_URL": "http://api:4000", "OLD_URL": "http://the-api:4000"}},
        ),
    )
    assert carried.service().env == {"API_URL": "http://api:4000", "OLD_URL": "http://api:4000"}
    assert carried.todo("services.web.env.OLD_URL") == ""
    assert "# was http://the-api:4000" in carried.text


def test_names_in_secrets_and_env_files_count_too(tmp_path: Path) -> None:
    """And their values are shown nowhere."""
    carried = Composed(
        tmp_path,
        services(
            db={"image": "postgres:16", "network_mode": "host"},
            web={**WEB, "environment": {"DATABASE_URL": "postgres://a:geheim@db/x"}, "env_file": ["web.env"]},
        ),
        {"web.env": "QUEUE_HOST=db\n"},
    )
    assert "on no network that this file joins" in carried.todo("services.web.secrets.DATABASE_URL")
    assert "publish its port at 172.17.0.1" in carried.todo("services.web.env_file.QUEUE_HOST")
    assert "geheim" not in str(carried.draft)


@pytest.mark.parametrize(
    "said",
    [
        "DATABASE_URL: 'postgres://app:geheim@${DB_HOST:-db}/shop'",
        "DATABASE_URL: 'postgres://app:geheim@${DB_HOST:?where}/shop'",
        "DATABASE_URL: 'postgres://${DB_USER}:geheim@db/shop'",
        "DATABASE_URL: 'postgres://app:geheim${X_KEY}@db/shop'",
        "DATABASE_URL: 'postgres://${U_KEY}:${P}@db/shop'",
        "DSN: 'Server=${DB_HOST:-db};Password=geheim;'",
        "JWT_SECRET: 'geheim-${STAGE:-dev}'",
    ],
)
@pytest.mark.parametrize("beside", [True, False])
def test_a_secret_beside_a_variable_is_written_nowhere(tmp_path: Path, said: str, beside: bool) -> None:
    """Neither into the file nor into what is told, wherever the Compose file stands; it is asked for by its name."""
    folder = tmp_path if beside else tmp_path / "deploy"
    folder.mkdir(exist_ok=True)
    text = f"services:\n  web:\n    image: x:1\n    ports: ['80:80']\n    environment:\n      {said}\n"
    (folder / "compose.yaml").write_text(text)
    (folder / ".env").write_text("P=geheim\nU_KEY=kim\n")
    draft = from_compose([folder / "compose.yaml"], tmp_path, {})
    assert "geheim" not in draft.text + str(draft.left) + str(draft.todos)
    assert said.partition(":")[0] in draft.text
