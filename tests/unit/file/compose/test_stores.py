"""Databases, caches and queues of a Compose file: stores of ours, with data, check, backup and the name they had."""

from pathlib import Path
from typing import Any

import pytest
from tests.unit.file.compose.composed import Composed, services

from crossfade.core.service import Volume
from crossfade.file.parts.store import Store
from crossfade.file.settle import settle_stores

WEB: dict[str, Any] = {"image": "acme/web:1", "ports": ["3000:3000"], "environment": {"DB_HOST": "db"}}


def composed(folder: Path, files: dict[str, str] | None = None, **db: Any) -> Composed:
    return Composed(folder, services(db={"image": "postgres:16", **db}, web={**WEB, "depends_on": ["db"]}), files)


def store(folder: Path, files: dict[str, str] | None = None, **db: Any) -> Store:
    return composed(folder, files, **db).app.stores["db"]


def test_a_database_comes_along_as_it_was(tmp_path: Path) -> None:
    """Its volume, check and variables; passwords are only named, and the app finds it by the name that it had."""
    carried = composed(
        tmp_path,
        volumes=["pg:/var/lib/postgresql/data"],
        environment={"POSTGRES_USER": "shop", "POSTGRES_DB": "orders", "POSTGRES_PASSWORD": "geheim"},
        healthcheck={"test": ["CMD-SHELL", "pg_isready -U $$POSTGRES_USER"], "interval": "5s", "retries": 20},
        stop_grace_period="2m",
        shm_size="256mb",
        command=["postgres", "-c", "max_connections=200"],
    )
    db = carried.app.stores["db"]
    assert db.volumes == (Volume(source="pg", target="/var/lib/postgresql/data"),)
    assert (db.env, db.secrets) == ({"POSTGRES_USER": "shop", "POSTGRES_DB": "orders"}, ("POSTGRES_PASSWORD",))
    assert db.health
    assert (db.health.command, db.health.interval, db.health.timeout) == ("pg_isready -U $POSTGRES_USER", 5.0, 100.0)
    assert (db.grace, db.shm_size, db.command) == (120.0, 256 << 20, "postgres -c max_connections=200")
    assert db.backup
    assert db.backup.command == "pg_dump --clean --if-exists -U shop orders"
    assert carried.service().env == {"DB_HOST": "db"}
    assert carried.app.network is None
    assert "geheim" not in carried.text
    (settled,) = settle_stores(carried.app, tmp_path)
    assert settled.service.container.command == ("postgres", "-c", "max_connections=200")


def test_the_data_of_compose_s_volume_is_brought_along_by_the_lines_that_are_said(tmp_path: Path) -> None:
    """A volume begins empty: what to type before a deploy, and after it."""
    what = composed(tmp_path, volumes=["pg:/var/lib/postgresql/data"]).todo("stores.db.volumes")
    assert what.startswith("bring along what Compose's volume pg holds: it begins empty here; `docker compose -f ")
    assert "exec -T db sh -c 'pg_dump --clean --if-exists -U postgres postgres' > db.backup` before a deploy" in what
    assert what.endswith("`crossfade restore db --from db.backup` after it")


def test_the_data_of_a_store_that_nobody_knows_is_copied_while_neither_runs(tmp_path: Path) -> None:
    """Compose's is stopped, ours taken down, and started again by a deploy that changes nothing else."""
    db = {"image": "acme/our-database:1", "ports": ["127.0.0.1:5432:5432"], "volumes": ["d:/var/lib/postgresql/data"]}
    what = Composed(tmp_path, services(db=db, web=WEB)).todo("stores.db.volumes")
    steps = what.partition("after a deploy: ")[2].split("`, `")
    begins = ("`docker compose -f ", "crossfade down ", "docker run --rm -v ", "crossfade deploy`")
    assert [step.startswith(begin) for step, begin in zip(steps, begins, strict=True)] == [True] * 4
    assert "sh -c 'rm -rf /to/* && cp -a /from/. /to'" in steps[2]


@pytest.mark.parametrize(
    ("service", "volumes", "health"),
    [
        ({"image": "postgres:16"}, ["db-data:/var/lib/postgresql/data"], "pg_isready -h 127.0.0.1 -U postgres"),
        ({"image": "postgres:18-alpine"}, ["db-data:/var/lib/postgresql"], "pg_isready"),
        ({"image": "pgvector/pgvector:pg16"}, ["db-data:/var/lib/postgresql/data"], "pg_isready"),
        ({"image": "mysql:8"}, ["db-data:/var/lib/mysql"], "mysqladmin ping -h 127.0.0.1"),
        ({"image": "redis:7", "volumes": ["r:/data"]}, ["r:/data"], "redis-cli ping"),
        ({"image": "valkey/valkey:8"}, ["db-data:/data"], "valkey-cli ping"),
        ({"image": "memcached:1"}, ["db-data:/data"], None),
        ({"image": "rabbitmq:4", "volumes": ["/var/lib/rabbitmq"]}, ["db-rabbitmq:/var/lib/rabbitmq"], "rabbitmq-diag"),
        ({"image": "mongo:7", "volumes": ["m:/data/db"]}, ["m:/data/db"], "mongosh --quiet"),
        ({"image": "elasticsearch:8.1.0"}, ["db-data:/usr/share/elasticsearch/data"], "curl -sS"),
        ({"image": "minio/minio:1", "volumes": ["m:/data"]}, ["m:/data"], None),
    ],
)
def test_what_compose_does_not_say_is_known_by_the_image(
    tmp_path: Path, service: dict[str, Any], volumes: list[str], health: str | None
) -> None:
    """Where data lies, and how one asks whether it is ready."""
    db = store(tmp_path, **service)
    assert [f"{one.source}:{one.target}" for one in db.volumes] == volumes
    assert (db.health is None) if health is None else (db.health is not None and db.health.command.startswith(health))


@pytest.mark.parametrize(
    ("service", "command"),
    [
        ({"image": "mariadb:11", "environment": {"MARIADB_ROOT_PASSWORD": "x", "MARIADB_DATABASE": "shop"}}, "shop"),
        ({"image": "mysql:8", "environment": {"MYSQL_ROOT_PASSWORD": "x"}}, "--all-databases"),
    ],
)
def test_a_backup_has_its_password_from_the_environment(tmp_path: Path, service: dict[str, Any], command: str) -> None:
    """On a command line others could read it."""
    db = store(tmp_path, **service)
    assert db.backup is not None
    assert db.backup.command.startswith('MYSQL_PWD="$M')
    assert db.backup.command.endswith(command)
    assert store(tmp_path, image="mongo:7", environment={"MONGO_INITDB_ROOT_PASSWORD": "x"}).backup is None


def test_settings_that_are_mounted_come_along_and_what_is_not_there_is_told(tmp_path: Path) -> None:
    """A file is read only; what a first start does is in a folder."""
    carried = composed(
        tmp_path,
        {"pg.conf": "", "init/1.sql": ""},
        volumes=[
            "./pg.conf:/etc/pg.conf",
            "./init:/docker-entrypoint-initdb.d",
            "./no.sql:/docker-entrypoint-initdb.d/2",
        ],
    )
    assert [f"{one.source}:{one.target}:{one.read_only}" for one in carried.app.stores["db"].volumes] == [
        "db-data:/var/lib/postgresql/data:False",
        "./pg.conf:/etc/pg.conf:True",
        "./init:/docker-entrypoint-initdb.d:True",
    ]
    assert "it does not exist: bring ./no.sql" in carried.todo("stores.db.volumes")


def test_a_folder_with_data_is_shared_with_compose_only_one_after_the_other(tmp_path: Path) -> None:
    """Both would write it; one that is not there is a volume of crossfade's."""
    carried = composed(tmp_path, {"pg/PG_VERSION": "16"}, volumes=["./pg:/var/lib/postgresql/data"])
    assert carried.app.stores["db"].volumes[0].source == "./pg"
    assert "stop Compose's db before a deploy" in carried.todo("stores.db.volumes")
    (tmp_path / "other").mkdir()
    other = store(tmp_path / "other", volumes=["./pg:/var/lib/postgresql/data"])
    assert [one.source for one in other.volumes] == ["db-data"]


def test_stores_that_wait_for_stores_begin_in_that_order(tmp_path: Path) -> None:
    """A broker needs what keeps its names."""
    carried = Composed(
        tmp_path,
        services(
            web=WEB,
            broker={
                "image": "confluentinc/cp-kafka:7",
                "depends_on": ["zookeeper"],
                "environment": {"KAFKA_ZOOKEEPER_CONNECT": "zookeeper:2181"},
            },
            zookeeper={"image": "zookeeper:3"},
        ),
    )
    assert [one.service.name for one in settle_stores(carried.app, tmp_path)] == ["zookeeper", "broker"]
    assert carried.app.stores["broker"].env == {"KAFKA_ZOOKEEPER_CONNECT": "zookeeper:2181"}


def test_a_name_that_is_none_here_is_written_as_it_is_called(tmp_path: Path) -> None:
    """In the variables of those who reach it."""
    carried = Composed(
        tmp_path,
        services(
            shop_db={"image": "postgres:16", "container_name": "the.db"},
            web={**WEB, "environment": {"DB_HOST": "shop_db", "READ_HOST": "the.db"}},
        ),
    )
    assert set(carried.app.stores) == {"shop-db"}
    assert carried.service().env == {"DB_HOST": "shop-db", "READ_HOST": "shop-db"}


def test_variables_in_files_are_read_from_there(tmp_path: Path) -> None:
    """And commands know them by their names."""
    db = store(tmp_path, {"db.env": "POSTGRES_USER=shop\nPOSTGRES_PASSWORD=geheim\n"}, env_file="db.env")
    assert [one.path for one in db.env_file] == ["db.env"]
    assert db.backup is not None
    assert db.backup.command == 'pg_dump --clean --if-exists -U "$POSTGRES_USER" "$POSTGRES_USER"'


def test_a_variable_of_the_container_is_none_of_the_file(tmp_path: Path) -> None:
    """What Compose hands on with two dollars is written so that the file hands it on, too."""
    db = store(tmp_path, healthcheck={"test": "test $${READY:-no} = yes"})
    assert db.health is not None
    assert db.health.command == "test ${READY:-no} = yes"


def test_one_on_the_network_of_the_machine_stays_in_compose(tmp_path: Path) -> None:
    """It has no name on the app's own."""
    carried = composed(tmp_path, network_mode="host")
    assert carried.app.stores == {}
    assert carried.why("db").startswith("it")
    assert "up -d db" in carried.todo("services")


def test_what_is_set_nowhere_is_filled_in_where_it_is_known(tmp_path: Path) -> None:
    """A user that a later .env names asks for the database and saves it; empty, it is what its image takes then."""
    db = store(tmp_path, environment={"POSTGRES_USER": "${DB_USER}", "POSTGRES_DB": "${DB_NAME}"})
    assert db.health
    assert db.backup
    assert db.health.command == 'pg_isready -h 127.0.0.1 -U "${POSTGRES_USER:-postgres}"'
    database = "${POSTGRES_DB:-${POSTGRES_USER:-postgres}}"
    assert db.backup.command == f'pg_dump --clean --if-exists -U "${{POSTGRES_USER:-postgres}}" "{database}"'


@pytest.mark.parametrize(
    ("port", "place"), [(1433, "/var/opt/mssql"), (5432, "/var/lib/postgresql"), (27017, "/data/db")]
)
def test_a_store_is_known_by_its_port_where_its_image_says_nothing(port: int, place: str, tmp_path: Path) -> None:
    """Its data lies where that of its kind does; which programs its image has nobody knows."""
    carried = composed(tmp_path, image="acme/edge:1", ports=[f"{port}:{port}"])
    db = carried.app.stores["db"]
    assert db.volumes == (Volume(source="db-data", target=place),)
    assert (db.health, db.backup) == (None, None)
    assert carried.todo("stores.db.volumes") == ""


def test_a_store_is_known_by_what_sets_it_up(tmp_path: Path) -> None:
    """As SQL Server by its SA_PASSWORD, whatever its image is called."""
    db = store(tmp_path, image="acme/edge:1", environment={"SA_PASSWORD": "geheim"})
    assert db.volumes == (Volume(source="db-data", target="/var/opt/mssql"),)


def test_where_a_store_that_nobody_knows_keeps_its_data_is_to_be_said(tmp_path: Path) -> None:
    """A volume at a place that is made up keeps nothing."""
    carried = composed(tmp_path, image="acme/edge:1", ports=["7687:7687"])
    assert carried.todo("stores.db.volumes").startswith("write where it keeps its data: /data is assumed")


def test_a_folder_of_a_volume_is_told(tmp_path: Path) -> None:
    """A store has all of it, where Compose mounted a part."""
    mount = {"type": "volume", "source": "data", "target": "/var/lib/postgresql/data", "volume": {"subpath": "pg"}}
    assert "what lies in pg there" in composed(tmp_path, volumes=[mount]).why("subpath pg")
