"""What each service of a Compose file is, by evidence that is shown."""

import sys
from pathlib import Path
from typing import Any

import pytest
from tests.unit.file.compose.composed import Composed, services

from crossfade.core.errors import WrongInputError
from crossfade.file.init.compose.carry import from_compose

WEB: dict[str, Any] = {"image": "acme/web:1", "ports": ["3000:3000"]}


@pytest.mark.parametrize(
    ("service", "evidence"),
    [
        ({"image": "postgres:16"}, "image postgres"),
        ({"image": "bitnami/redis@sha256:abc"}, "image redis"),
        ({"image": "pgvector/pgvector:pg16", "ports": ["127.0.0.1:5432:5432"]}, "image pgvector, port 5432"),
        ({"image": "mcr.microsoft.com/mssql/server:2022"}, "image mssql"),
        ({"image": "confluentinc/cp-kafka:7"}, "image kafka"),
        ({"image": "registry:2"}, "image registry"),
        ({"image": "acme/own:1", "volumes": ["d:/var/lib/mysql"]}, "data in /var/lib/mysql"),
        ({"image": "acme/own:1", "expose": ["27017"]}, "port 27017 (MongoDB)"),
        ({"image": "acme/own:1", "healthcheck": {"test": "pg_isready -U x"}}, "checked with pg_isready"),
        ({"build": "./search", "ports": ["9200:9200"], "volumes": ["d:/usr/share/elasticsearch/data"]}, "port 9200"),
    ],
)
def test_what_keeps_state_is_a_store(tmp_path: Path, service: dict[str, Any], evidence: str) -> None:
    """Known by image, port, mounts, healthcheck - also when it is built."""
    carried = Composed(tmp_path, services(web=WEB, thing=service))
    assert carried.kinds()["thing"] == "store"
    assert carried.evidence("thing").startswith(evidence)
    assert "thing" in carried.app.stores
    assert evidence in next(line for line in carried.text.split("  thing:")[1].splitlines() if "image:" in line)


def test_a_store_is_known_by_name_and_variables_together(tmp_path: Path) -> None:
    """Each alone is too little: an app has POSTGRES_PASSWORD too."""
    setting = {"POSTGRES_PASSWORD": "x"}
    carried = Composed(
        tmp_path,
        services(
            web={**WEB, "environment": setting},
            db={"image": "acme/own:1", "environment": setting},
            built={"build": "./d"},
        ),
        {"d/Dockerfile": "FROM mariadb:11\n"},
    )
    assert carried.kinds() == {"web": "service", "db": "store", "built": "store"}


@pytest.mark.parametrize(
    "image",
    [
        "postgrest/postgrest:v12",
        "acme/redis_exporter:1",
        "mongo-express:1",
        "redis/redisinsight:2",
        "provectus/kafka-ui:1",
        "vaultwarden/server:1",
        "phpmyadmin:5",
        "acme/eureka-registry:1",
        "rediscommander/redis-commander:1",
    ],
)
def test_what_only_has_the_word_in_its_name_is_none(tmp_path: Path, image: str) -> None:
    """Whole words count, and tools that talk to a store keep nothing."""
    assert Composed(tmp_path, services(web={"image": image, "ports": ["8081:8081"]})).kinds() == {"web": "service"}


def test_workers_schedulers_and_migrations_are_told_apart(tmp_path: Path) -> None:
    """By name, command and whether they run once; a name alone does not unmake a service that publishes a port."""
    carried = Composed(
        tmp_path,
        services(
            web=WEB,
            worker={"image": "acme/web:1"},
            jobs={"image": "acme/web:1", "command": "celery -A shop worker"},
            beat={"image": "acme/web:1", "command": "celery -A shop beat"},
            tidy={"image": "acme/web:1", "command": "tidy", "restart": "no"},
            seed={"image": "acme/web:1", "command": ["seed", "all"]},
            silent={"image": "acme/other:1"},
            **{"worker-api": {"image": "acme/jobs:1", "ports": ["8081:8081"]}},
        ),
    )
    kinds = carried.kinds()
    assert [kinds[name] for name in ("worker", "jobs", "silent")] == ["worker"] * 3
    assert (kinds["beat"], kinds["tidy"], kinds["seed"], kinds["worker-api"]) == (
        "scheduler",
        "migration",
        "migration",
        "service",
    )
    assert carried.service().hooks.migrate == "tidy && seed all"
    assert {carried.service(name).kind for name in ("worker", "jobs", "beat", "silent")} == {"worker"}


def test_a_migration_with_another_image_is_left_to_do(tmp_path: Path) -> None:
    """A hook runs in the image of its service."""
    carried = Composed(tmp_path, services(web=WEB, migrate={"image": "acme/migrations:1", "command": "up"}))
    assert carried.service().hooks.migrate is None
    assert "no service here runs its image, acme/migrations:1" in carried.todo("services")


def test_dependencies_that_are_not_in_the_file_are_told(tmp_path: Path) -> None:
    """What must run before a deploy, and how to start it; a migration is in a hook."""
    carried = Composed(
        tmp_path,
        services(
            db={"image": "postgres:16", "network_mode": "host"},
            migrate={"image": "acme/web:1", "command": "migrate"},
            web={**WEB, "depends_on": {"db": {"condition": "service_healthy"}, "migrate": {}}},
        ),
    )
    assert carried.why("depends_on db") == "db is not in the file: it must be healthy before a deploy"
    assert carried.service().hooks.migrate == "migrate"
    assert "up -d db" in carried.todo("services")


def test_a_service_of_a_profile_stays_out(tmp_path: Path) -> None:
    """Unless Compose would start it."""
    text = services(web=WEB, mailtrap={"image": "acme/mailtrap:1", "profiles": ["dev"], "ports": ["8025:8025"]})
    assert Composed(tmp_path, text).why("mailtrap").endswith("(only with profile dev)")
    assert "mailtrap" in Composed(tmp_path, text, {".env": "COMPOSE_PROFILES=dev\n"}).app.services


def test_a_port_that_speaks_something_else_is_not_taken(tmp_path: Path) -> None:
    """The page of a mail catcher, not its SMTP; a game has no page."""
    carried = Composed(
        tmp_path,
        services(
            mail={"image": "acme/mailpit:1", "ports": ["1025:1025", "8025:8025"]},
            game={"image": "acme/game:1", "ports": ["25565:25565"]},
        ),
    )
    assert carried.service("mail").port == 8025
    assert carried.why("port 1025:1025") == "it speaks SMTP, not HTTP"
    assert "port 25565 speaks Minecraft's protocol, not HTTP" in carried.why("game")


@pytest.mark.parametrize("image", ["mailhog/mailhog", "axllent/mailpit:v1", "maildev/maildev:2", "rnwood/smtp4dev:v3"])
def test_a_mail_catcher_is_left_out(image: str, tmp_path: Path) -> None:
    """It is there for those who develop; whoever sent it mail is told to name a server that delivers."""
    web = {**WEB, "environment": {"SMTP_HOST": "mail", "SMTP_PORT": "1025"}, "depends_on": ["mail"]}
    carried = Composed(tmp_path, services(web=web, mail={"image": image, "ports": ["1025:1025", "8025:8025"]}))
    assert [*carried.app.services] == ["web"]
    assert "it shows mail and sends none" in carried.why("mail")
    assert "name your mail server here" in carried.todo("services.web.env.SMTP_HOST")
    assert "depends_on" not in carried.text


def test_a_mail_catcher_that_is_all_there_is_stays(tmp_path: Path) -> None:
    """Then it is what the file is about."""
    carried = Composed(tmp_path, services(mail={"image": "axllent/mailpit:v1", "ports": ["8025:8025"]}))
    assert carried.service("mail").port == 8025


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("mc mb store/media; exit 0;", "migration"),
        (["/bin/sh", "-c", "mc mb store/media; exit 0"], "migration"),
        ("while true; do sync; done; exit 0", "worker"),
        ("node server.js || exit 0", "worker"),
    ],
)
def test_what_ends_by_itself_is_no_worker(command: object, kind: str, tmp_path: Path) -> None:
    """A worker that ends is started again, for ever: what makes buckets runs once before others."""
    carried = Composed(tmp_path, services(web=WEB, buckets={"image": "minio/mc:1", "entrypoint": command}))
    assert carried.kinds()["buckets"] == kind


def test_the_service_in_front_gets_all_other_requests(tmp_path: Path) -> None:
    """In Compose files back ends come first; the listener's port is that of the front."""
    carried = Composed(
        tmp_path,
        services(
            config={"image": "acme/config:1", "ports": ["8888:8888"]},
            jobs={"image": "acme/jobs:1", "ports": ["8081:8081"]},
            gateway={"image": "acme/gateway:1", "ports": ["80:8080"], "depends_on": ["config", "jobs"]},
        ),
    )
    assert carried.app.listen.http == 80
    assert [route.path for route in carried.service("gateway").routes] == ["/*"]
    assert "# gets all other requests: it publishes 80, it is called gateway" in carried.text


def test_what_only_this_machine_reached_stays_so(tmp_path: Path) -> None:
    """And what was not published and now is, is said."""
    local = Composed(tmp_path, services(web={"image": "x:1", "ports": ["127.0.0.1:3000:3000"]}))
    assert (local.app.listen.host, local.app.listen.http) == ("127.0.0.1", 3000)
    inside = Composed(tmp_path, services(web=WEB, api={"image": "y:1", "expose": ["1"]}))
    assert "it was not published; /api/* lets every visitor in" in inside.todo("services.api.routes")


def test_a_file_of_stores_says_what_to_do(tmp_path: Path) -> None:
    """Where the app itself reaches them."""
    (tmp_path / "compose.yaml").write_text(
        services(db={"image": "postgres:16", "ports": ["5432:5432"]}, cache={"image": "redis:7"})
    )
    with pytest.raises(WrongInputError) as error:
        from_compose([tmp_path / "compose.yaml"], tmp_path, {})
    assert "has only data stores; they stay in Compose" in str(error.value)
    way_out = "it reaches them at localhost:5432; publish a port of cache to reach it"
    assert error.value.way_out == f"run `crossfade init` for the app itself; {way_out}"


def test_ten_times_the_services_are_ten_times_the_work(tmp_path: Path) -> None:
    """Counted in calls of functions: keys that do not fit are taken out all at once, not one a validation."""

    def calls(count: int) -> int:
        them = {f"s{i}": {"image": f"a/s{i}:1", "ports": [f"{3000 + i}:80"], "cpus": "0,5"} for i in range(count)}
        (tmp_path / "compose.yaml").write_text(services(**them))
        counted = 0

        def count_one(_frame: object, event: str, _arg: object) -> None:
            nonlocal counted
            counted += event == "call"

        sys.setprofile(count_one)
        try:
            from_compose([tmp_path / "compose.yaml"], tmp_path, {})
        finally:
            sys.setprofile(None)
        return counted

    calls(5)  # builds the validators
    assert calls(200) < 12 * calls(20)


@pytest.mark.parametrize(
    ("image", "command", "kind"),
    [
        ("apache/kafka:3", "kafka-topics.sh --create --topic a", "migration"),
        ("postgres:16", "psql -h db -f /x.sql", "migration"),
        ("mongo:7", "mongosh --host db --eval 'rs.initiate()'", "migration"),
        ("postgres:16", "sh -c 'while true; do pg_dump -h db x > /b; sleep 3600; done'", "worker"),
        ("postgres:16", "postgres -c fsync=off", "store"),
        ("redis:7", "sh -c 'redis-server --save 60 1 && redis-cli ping'", "store"),
    ],
)
def test_a_stores_image_may_only_ask_another_store(tmp_path: Path, image: str, command: str, kind: str) -> None:
    """Its command is one of a client; one that repeats it is a worker."""
    web = {"image": "acme/web:1", "ports": ["80:80"]}
    carried = Composed(tmp_path, services(web=web, it={"image": image, "command": command}))
    assert carried.kinds()["it"] == kind


def test_who_is_asked_by_http_answers(tmp_path: Path) -> None:
    """A URL in a variable of another service says at which port."""
    web = {"image": "acme/web:1", "ports": ["80:80"], "environment": {"META": "http://meta:8080/x", "S": "http://web"}}
    carried = Composed(tmp_path, services(web=web, meta={"image": "supabase/postgres-meta:1"}, other={"image": "x:1"}))
    assert carried.kinds() == {"web": "service", "meta": "service", "other": "worker"}
    assert (carried.evidence("meta"), carried.service("meta").port) == ("web asks it at meta:8080", 8080)


def test_another_command_of_what_a_service_is_built_from_is_a_worker(tmp_path: Path) -> None:
    """The Dockerfile's port is the service's; one that starts a server has it, too."""
    web, same = {"build": ".", "ports": ["80:80"]}, {"build": "."}
    text = services(web=web, tasks={**same, "command": "bin/tasks"}, admin={**same, "command": "gunicorn admin"})
    carried = Composed(tmp_path, text, {"Dockerfile": "FROM python:3\nEXPOSE 80\n"})
    assert carried.kinds() == {"web": "service", "tasks": "worker", "admin": "service"}


def test_what_only_takes_datagrams_stays_in_compose(tmp_path: Path) -> None:
    """A tunnel has ports, and none of HTTP."""
    tunnel = {"image": "linuxserver/wireguard:1", "ports": ["51820:51820/udp"]}
    carried = Composed(tmp_path, services(web={"image": "acme/web:1", "ports": ["80:80"]}, tunnel=tunnel))
    assert (carried.kinds()["tunnel"], carried.evidence("tunnel")) == ("other", "port 51820 speaks UDP, not HTTP")


def test_one_whose_address_another_one_has_answers_there(tmp_path: Path) -> None:
    """BACKEND: api:8000 says as much as a URL; an address of gRPC, or a database's port, does not."""
    env = {"BACKEND": "api:8000", "ADS_GRPC": "ads:9555", "AMQP": "queue:5672"}
    web = {"image": "acme/web:1", "ports": ["80:80"], "environment": env}
    quiet = {name: {"image": f"acme/{name}:1"} for name in ("api", "ads", "queue")}
    carried = Composed(tmp_path, services(web=web, **quiet))
    assert (carried.evidence("api"), carried.service("api").port) == ("web asks it at api:8000", 8000)
    assert {name: carried.kinds()[name] for name in ("ads", "queue")} == {"ads": "worker", "queue": "worker"}


@pytest.mark.parametrize(
    "entrypoint",
    [
        ["composer", "--ignore-platform-reqs"],
        ["npm"],
        ["php", "/var/www/html/artisan"],
        "python manage.py",
        "bin/rails",
    ],
)
def test_a_tool_that_is_run_by_hand_is_no_worker(entrypoint: object, tmp_path: Path) -> None:
    """It ends at once where nobody says what it is to do, so it is left to `crossfade run`."""
    tool = {"image": "acme/tool:1", "entrypoint": entrypoint, "ports": ["5173:5173"]}
    carried = Composed(tmp_path, services(tool=tool, web={"image": "acme/web:1", "ports": ["80:80"]}))
    assert carried.kinds()["tool"] == "tool"
    assert "crossfade run" in carried.why("tool")
    assert set(carried.app.services) == {"web"}


@pytest.mark.parametrize("goes_on", [{"restart": "always"}, {"command": "queue:work"}])
def test_a_tool_that_is_told_what_to_do_is_what_it_does(goes_on: dict[str, str], tmp_path: Path) -> None:
    """`artisan queue:work` is a worker."""
    worker = {"image": "acme/tool:1", "entrypoint": ["php", "artisan"], **goes_on}
    carried = Composed(tmp_path, services(jobs=worker, web={"image": "acme/web:1", "ports": ["80:80"]}))
    assert carried.kinds()["jobs"] == "worker"


@pytest.mark.parametrize("command", ["npm ci", "composer install --no-dev", "yarn run build"])
def test_what_only_installs_ends(command: str, tmp_path: Path) -> None:
    """A worker that ends is started again for ever: it is to be run before a deploy."""
    carried = Composed(
        tmp_path,
        services(setup={"image": "node:22", "command": command}, web={"image": "acme/web:1", "ports": ["80:80"]}),
    )
    assert carried.kinds()["setup"] == "migration"
    assert "run what setup does before a deploy" in carried.todo("services")
