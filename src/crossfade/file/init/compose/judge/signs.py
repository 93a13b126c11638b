"""Signs that tell what a service is: words of images, ports, places of data, variables, commands."""

import re
from collections.abc import Mapping


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


STORES = _words(
    "postgres postgresql postgis pgvector timescale timescaledb mysql mariadb percona mongo mongodb redis valkey keydb"
    " dragonfly memcached rabbitmq kafka redpanda zookeeper elasticsearch opensearch solr meilisearch typesense minio"
    " cassandra scylla clickhouse influxdb neo4j etcd consul vault nats mssql oracle cockroach cockroachdb couchdb"
    " couchbase qdrant weaviate milvus rethinkdb surrealdb arangodb activemq artemis pulsar beanstalkd mosquitto emqx"
    " dynamodb seaweedfs firebird questdb victoriametrics foundationdb ferretdb tidb yugabyte chroma pgbouncer"
)
WHOLE_NAMES = frozenset({"registry", "server"})  # stores only when nothing else is in the name, as registry:2
# A word beside them that says: a tool that talks to a store, and keeps nothing.
TOOLS = _words(
    "exporter ui admin commander express insight redisinsight client dashboard dashboards console operator backup"
    " rest proxy gui web webui viewer manager connect cli tools monitor browser adapter bridge api worker meta"
)
PROXIES = _words("traefik haproxy envoy varnish nginx caddy httpd apache openresty swag ingress")
PURE_PROXIES = _words("traefik haproxy envoy varnish swag")  # they serve no files of their own
PROXY_COMPANIONS = frozenset(
    {
        *("acme-companion", "letsencrypt-nginx-proxy-companion", "certbot", "nginx-proxy-manager"),
        *("docker-gen", "traefik-certs-dumper", "traefik-forward-auth", "docker-socket-proxy", "socket-proxy"),
    }
)
# Images that have a language or a server and nothing of an app.
RUNTIMES = _words(
    "node python ruby php golang deno bun openjdk temurin corretto maven gradle composer rust elixir erlang perl jruby"
    " alpine ubuntu debian busybox nginx httpd caddy tomcat sdk aspnet runtime swift haskell julia"
)
# They look after Docker itself, by its socket.
DOCKER_TOOLS = _words(
    "watchtower portainer dozzle autoheal diun cadvisor dockge lazydocker docuum whaler wud ouroboros yacht"
)
# They stand in for a mail server while one develops: all mail ends with them.
MAIL_CATCHERS = _words("mailhog mailpit maildev mailcatcher mailcrab mailslurper smtp4dev inbucket greenmail papercut")
PROXY_NAMES = _words("nginx proxy traefik caddy haproxy loadbalancer lb ingress reverse envoy")
WORKERS = _words("worker workers celery sidekiq consumer consumers rq horizon resque dramatiq queue jobs")
SCHEDULERS = _words("cron crond beat scheduler schedule clock ofelia cronjob periodic")
MIGRATIONS = _words("migrate migrator migration migrations seed seeder seeds init setup initdb bootstrap")
FRONTS = _words("web www frontend front app gateway nginx ui client site webapp portal")

STORE_NAMES = _words(
    "db database postgres postgresql pg mysql mariadb mongo mongodb redis cache rabbitmq elasticsearch kafka broker"
    " memcached minio storage search"
)
STORE_PORTS: Mapping[int, str] = {
    5432: "PostgreSQL",
    3306: "MySQL",
    6379: "Redis",
    27017: "MongoDB",
    5672: "AMQP",
    9092: "Kafka",
    9200: "Elasticsearch",
    9300: "Elasticsearch",
    1433: "SQL Server",
    1521: "Oracle",
    11211: "memcached",
    4222: "NATS",
    2181: "ZooKeeper",
    26257: "CockroachDB",
    9042: "Cassandra",
    7687: "Neo4j",
    5984: "CouchDB",
    2379: "etcd",
    28015: "RethinkDB",
    6333: "Qdrant",
    19530: "Milvus",
    7700: "Meilisearch",
}
# Well-known ports on which no HTTP is spoken.
OTHER_PORTS: Mapping[int, str] = {
    **STORE_PORTS,
    21: "FTP",
    22: "SSH",
    2222: "SSH",
    23: "Telnet",
    25: "SMTP",
    465: "SMTP",
    587: "SMTP",
    1025: "SMTP",
    2525: "SMTP",
    53: "DNS",
    69: "TFTP",
    123: "NTP",
    161: "SNMP",
    88: "Kerberos",
    110: "POP3",
    995: "POP3",
    143: "IMAP",
    993: "IMAP",
    389: "LDAP",
    636: "LDAP",
    445: "SMB",
    514: "syslog",
    1194: "OpenVPN",
    51820: "WireGuard",
    1883: "MQTT",
    8883: "MQTT",
    3389: "RDP",
    5900: "VNC",
    4317: "gRPC of OpenTelemetry",
    4369: "Erlang's port mapper",
    554: "RTSP",
    8554: "RTSP",
    1935: "RTMP",
    873: "rsync",
    1080: "SOCKS",
    2049: "NFS",
    3478: "TURN",
    5349: "TURN",
    5044: "the Beats protocol",
    5060: "SIP",
    5061: "SIP",
    5222: "XMPP",
    5269: "XMPP",
    5347: "XMPP",
    6697: "IRC",
    6667: "IRC",
    9094: "Kafka",
    9229: "the Node debugger",
    5005: "the Java debugger",
    24224: "Fluentd's forward protocol",
    25565: "Minecraft's protocol",
    25575: "RCON",
    27015: "Steam's protocol",
    50051: "gRPC",
}

_DATA = re.compile(
    r"/var/lib/(postgresql|mysql|mariadb|mongodb|redis|rabbitmq|cassandra|clickhouse|influxdb\d?|neo4j|kafka|elasticsearch"
    r"|scylla|etcd|milvus|weaviate|registry|zookeeper|couchdb|valkey)\b"
    r"|/data/(db|configdb)$|/usr/share/(elasticsearch|opensearch)/data|/bitnami/\w+|/var/opt/(mssql|oracle)|/opt/oracle/oradata"
    r"|/qdrant/storage|/meili_data|/opt/couchdb/data|/etc/etcd|/var/solr|/pgdata\b|/home/postgres/pgdata|/cockroach"
)
_STORE_VARIABLES = re.compile(
    r"POSTGRES_(PASSWORD|HOST_AUTH_METHOD|INITDB_ARGS)|(MYSQL|MARIADB)_(RANDOM_|ALLOW_EMPTY_)?(ROOT_)?PASSWORD"
    r"|MONGO_INITDB_\w+|RABBITMQ_DEFAULT_\w+|(MSSQL_)?SA_PASSWORD|MINIO_ROOT_\w+|NEO4J_AUTH|KAFKA_ADVERTISED_LISTENERS"
    r"|KAFKA_CFG_\w+|CLICKHOUSE_(DB|USER|PASSWORD)|discovery\.type|ES_JAVA_OPTS|ZOOKEEPER_CLIENT_PORT|ALLOW_EMPTY_PASSWORD"
    r"|MEILI_MASTER_KEY|INFLUXDB_(DB|ADMIN_\w+)|DOCKER_INFLUXDB_INIT_\w+|ORACLE_PASSWORD"
)
_STORE_CHECKS = re.compile(
    r"\b(pg_isready|mysqladmin|mariadb-admin|healthcheck\.sh|redis-cli|valkey-cli|mongo(sh)?|rabbitmq-diagnostics|rabbitmqctl"
    r"|cqlsh|clickhouse-client|etcdctl|zkServer\.sh|kafka-\w[\w-]*|nodetool|sqlcmd)\b"
)
WORKER_COMMAND = re.compile(
    r"\bcelery\b.*\bworker\b|\bsidekiq\b|\brq(worker| worker)\b|\bqueue:(work|listen)\b|\bhorizon\b|\bdramatiq\b"
    r"|\bresque\b"
    r"|\bbin/jobs\b|\b(solid_queue|good_job|delayed_job|huey_consumer)\b|\bqcluster\b|\brun_?huey\b|\bworker(s)?(\.\w+)?$|\b(start|run)[:_-]worker\b|\bjobs:work\b|\barq\b|\bmessenger:consume\b"
)
# What a store's image is also started for: to ask or to set up another one.
CLIENT_COMMAND = re.compile(
    r"\b(kafka-(topics|configs|acls)(\.sh)?|cub|psql|pg_dump(all)?|pg_restore|createdb|mysql|mysqldump|mariadb|mariadb-dump"
    r"|mongosh|mongo|mongodump|mongorestore|mongoimport|redis-cli|valkey-cli|rabbitmqadmin|cqlsh|etcdctl|clickhouse-client)\s"
)
SERVER_COMMAND = re.compile(
    r"\b(postgres|redis-server|valkey-server|mongod|mysqld|mariadbd|rabbitmq-server|etcd|kafka-server-start\S*)\b"
)
LASTS = re.compile(r"\bwhile\b|\bsleep\s+(\d{3,}|infinity|\d+[hd])|\bcrond?\b|\bloop\b")
SCHEDULER_COMMAND = re.compile(
    r"\bcelery\b.*\bbeat\b|\bschedule:(work|run)\b|\bsupercronic\b|\bcrond?\b|\bclockwork\b|\brqscheduler\b"
)
MIGRATION_COMMAND = re.compile(
    r"\bmigrate\b|\bdb:(migrate|prepare|setup|seed)\b|\balembic\b.*\bupgrade\b|\bprisma\b.*\b(migrate|push|seed)\b|\bflyway\b"
    r"|^(composer|npm|yarn|pnpm|bun) (install|ci|run build)\b[^&;|]*$"
    r"|\bliquibase\b|\b(db|migration)[:_-](up|run|migrate|deploy)\b|\bseed\b|\bcollectstatic\b"
)


# A command that ends by itself, and well, whatever came of it: it makes the buckets of a store, say.
ENDS = re.compile(r"\bexit 0\b[\s;\"']*$")
# Tools that do what is typed behind them, and end without.
BY_HAND = re.compile(
    r"(composer|npm|npx|yarn|pnpm|bun|bunx|bundle|rake|mix|wp|drush"
    r"|(php |python3? |\./)?(\S*/)?(artisan|console|manage\.py|rails|flask))( -\S+)*"
)
# What does nothing but wait for another service, and ends then.
WAITING = re.compile(r"\b(dockerize|wait4x|wait4ports|wait-?for(-it)?|waitforit|docker-compose-wait)\b")


def words(name: str) -> list[str]:
    """The words of a name: "my_web-app.1" is my, web, app, 1."""
    return [word for word in re.split(r"[-_./ ]+", name.lower()) if word]


def basename(image: str) -> str:
    """The last part of an image's name, without registry, tag and digest: docker.io/bitnami/redis@sha256:1 is redis."""
    return image.lower().split("@")[0].rsplit("/", 1)[-1].split(":")[0]


def store_in(image: str) -> str:
    """The whole word of an image's name that says it keeps state; empty when none does."""
    own = words(basename(image))
    if set(own) & TOOLS:
        return ""
    if found := next((word for word in own if word in STORES), ""):
        return found
    if basename(image) not in WHOLE_NAMES:
        return ""
    name = image.lower().split("@")[0]
    space = words(name.rsplit("/", 2)[-2]) if "/" in name else []
    return basename(image) if basename(image) == "registry" else next((word for word in space if word in STORES), "")


def data_place(target: str) -> str:
    """The part of a mount's target where a store keeps its data; empty for any other."""
    match = _DATA.search(target)
    return match[0] if match else ""


def is_store_variable(name: str) -> bool:
    """True for a variable that sets a store up, not one that tells an app how to reach it."""
    return _STORE_VARIABLES.fullmatch(name) is not None


def store_check(test: str) -> str:
    """The program of a healthcheck that only a store has."""
    match = _STORE_CHECKS.search(test)
    return match[0] if match else ""
