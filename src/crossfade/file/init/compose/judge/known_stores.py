"""What is known of databases, caches and queues by the names of their images: where data lies, how one asks and saves.

The commands run in the store's container, by its shell and with its variables; none has a password among its words.
"""

import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from crossfade.file.init.kept import WithVariables

Variables = Mapping[str, str]  # with an empty value for those that the file only names


@dataclass(frozen=True)
class KnownStore:
    """`data` is where it keeps what lasts; the others are empty where nothing is known."""

    data: str
    health: str = ""
    backup: str = ""
    restore: str = ""


_BY_PORT = {5432: "postgres", 3306: "mysql", 6379: "redis", 27017: "mongo", 1433: "mssql"}


_BY_VARIABLE = {
    **dict.fromkeys(("SA_PASSWORD", "MSSQL_SA_PASSWORD"), "mssql"),
    **dict.fromkeys(("POSTGRES_PASSWORD", "POSTGRES_DB"), "postgres"),
    **dict.fromkeys(("MYSQL_ROOT_PASSWORD", "MYSQL_DATABASE", "MARIADB_ROOT_PASSWORD"), "mysql"),
    "MONGO_INITDB_ROOT_USERNAME": "mongo",
}


def known_otherwise(ports: Iterable[int], variables: Iterable[str]) -> KnownStore | None:
    """Where what usually listens there, or is set up by such a variable, keeps its data, of an image whose name says
    nothing; which programs it has nobody knows.
    """
    words = [*map(_BY_PORT.get, ports), *map(_BY_VARIABLE.get, variables)]
    word = next(filter(None, words), "")
    return KnownStore(known_store(word, "", {}).data) if word else None


def known_store(word: str, tag: str, variables: Variables) -> KnownStore:
    """What is known of the store whose image has this word in its name, and this tag."""
    made = _KNOWN.get(word)
    known = made(variables) if made else KnownStore("/data")
    newest = not tag or tag == "latest"
    version = _VERSION.match(tag)
    if made is _postgres and (newest or (version and int(version[1]) >= _POSTGRES_MOVED)):
        return replace(known, data="/var/lib/postgresql")
    return known


_VERSION = re.compile(r"(?:pg|v)?([0-9]{1,3})\b")
_POSTGRES_MOVED = 18  # from here on its data lies in a folder of its version, below the one that is mounted


def _said(name: str, variables: Variables, default: str) -> str:
    """A variable's value for a shell; of one that is a secret its name, for the shell in the container to fill in.

    One that is set nowhere yet is filled in there, too, and its image takes an empty one for the default.
    """
    if name not in variables:
        return default
    if isinstance(variables[name], WithVariables):
        return f'"${{{name}:-{default.strip(chr(34))}}}"'
    return shlex.quote(variables[name]) if variables[name] else f'"${name}"'


def _postgres(variables: Variables) -> KnownStore:
    """While its first start makes the database it answers on its socket only: asked over TCP it is ready when it is."""
    user = _said("POSTGRES_USER", variables, "postgres")
    database = _said("POSTGRES_DB", variables, user)
    return KnownStore(
        "/var/lib/postgresql/data",
        f"pg_isready -h 127.0.0.1 -U {user}",
        f"pg_dump --clean --if-exists -U {user} {database}",
        f"psql -q -v ON_ERROR_STOP=1 -U {user} {database}",
    )


def _mysql(variables: Variables) -> KnownStore:
    return _of_mysql("mysql", "mysqldump", "mysqladmin ping -h 127.0.0.1", ("MYSQL",), variables)


def _mariadb(variables: Variables) -> KnownStore:
    ping = "mariadb-admin ping -h 127.0.0.1 || mysqladmin ping -h 127.0.0.1"
    return _of_mysql("mariadb", "mariadb-dump", ping, ("MARIADB", "MYSQL"), variables)


def _of_mysql(client: str, dump: str, ping: str, brands: tuple[str, ...], variables: Variables) -> KnownStore:
    """A ping needs no password; a dump has root's from the environment, by a variable that its clients know."""
    place = "/var/lib/mysql"
    secret = next((f"{brand}_ROOT_PASSWORD" for brand in brands if f"{brand}_ROOT_PASSWORD" in variables), "")
    if not secret:
        return KnownStore(place, ping)
    named = next((f"{brand}_DATABASE" for brand in brands if f"{brand}_DATABASE" in variables), "")
    database = _said(named, variables, "")
    which = f"--databases {database}" if database else "--all-databases"
    password = f'MYSQL_PWD="${secret}"'
    return KnownStore(
        place,
        ping,
        f"{password} {dump} -u root --single-transaction --routines {which}",
        f"{password} {client} -u root",
    )


def _mongo(variables: Variables) -> KnownStore:
    """With a login its tools take the password as a word, which others could read: then there is no backup."""
    ask = "mongosh --quiet --eval 'db.adminCommand(\"ping\")' || mongo --quiet --eval 'db.adminCommand(\"ping\")'"
    if any(name.startswith("MONGO_INITDB_ROOT") for name in variables):
        return KnownStore("/data/db", ask)
    return KnownStore("/data/db", ask, "mongodump --quiet --archive", "mongorestore --quiet --archive --drop")


def _zookeeper(variables: Variables) -> KnownStore:
    """Confluent's has a place of its own, and this variable."""
    return KnownStore("/var/lib/zookeeper" if "ZOOKEEPER_CLIENT_PORT" in variables else "/data")


def _just(data: str, health: str = "") -> Callable[[Variables], KnownStore]:
    return lambda _: KnownStore(data, health)


_KNOWN: Mapping[str, Callable[[Variables], KnownStore]] = {
    **dict.fromkeys(("postgres", "postgresql", "postgis", "pgvector", "timescale", "timescaledb"), _postgres),
    **dict.fromkeys(("mysql", "percona"), _mysql),
    "mariadb": _mariadb,
    **dict.fromkeys(("mongo", "mongodb"), _mongo),
    **dict.fromkeys(("redis", "keydb", "dragonfly"), _just("/data", "redis-cli ping")),
    "valkey": _just("/data", "valkey-cli ping"),
    "rabbitmq": _just("/var/lib/rabbitmq", "rabbitmq-diagnostics -q check_port_connectivity"),
    "elasticsearch": _just("/usr/share/elasticsearch/data", "curl -sS -o /dev/null http://127.0.0.1:9200"),
    "opensearch": _just("/usr/share/opensearch/data"),
    "cassandra": _just("/var/lib/cassandra"),
    "clickhouse": _just("/var/lib/clickhouse"),
    "couchdb": _just("/opt/couchdb/data"),
    "influxdb": _just("/var/lib/influxdb2"),
    "kafka": _just("/var/lib/kafka/data"),
    "meilisearch": _just("/meili_data"),
    "neo4j": _just("/data"),
    "qdrant": _just("/qdrant/storage"),
    "registry": _just("/var/lib/registry"),
    "mssql": _just("/var/opt/mssql"),
    "solr": _just("/var/solr"),
    "zookeeper": _zookeeper,
    "mosquitto": _just("/mosquitto/data"),
    "redpanda": _just("/var/lib/redpanda/data"),
    "cockroach": _just("/cockroach/cockroach-data"),
    "cockroachdb": _just("/cockroach/cockroach-data"),
    "scylla": _just("/var/lib/scylla"),
    "weaviate": _just("/var/lib/weaviate"),
    "milvus": _just("/var/lib/milvus"),
    "arangodb": _just("/var/lib/arangodb3"),
    "couchbase": _just("/opt/couchbase/var"),
    "consul": _just("/consul/data"),
    "vault": _just("/vault/file"),
    "questdb": _just("/var/lib/questdb"),
    "victoriametrics": _just("/victoria-metrics-data"),
    "emqx": _just("/opt/emqx/data"),
}
