"""The plain services that the engine works with say what the file says."""

from pathlib import Path

import pytest
from tests.unit.file.files import FULL, SMALL

from crossfade.adapters import BALANCERS
from crossfade.core import service as core
from crossfade.core.errors import WrongInputError
from crossfade.core.service import Build, Container, Volume
from crossfade.file.deployable import deployable
from crossfade.file.load import load
from crossfade.file.parts.kind import asks_others
from crossfade.file.reading.problem import WrongFileError
from crossfade.file.settle import settle, settle_stores


def settled(folder: Path, text: str) -> tuple[core.Service, ...]:
    (folder / "crossfade.yaml").write_text(text)
    return settle(load(folder / "crossfade.yaml"), folder)


def test_every_setting_reaches_the_engine(tmp_path: Path) -> None:
    """In its units: seconds, shares, milliseconds, bytes."""
    db, web = settled(tmp_path, FULL)
    assert (db.name, db.runtime, db.image, db.key) == ("db-api", "docker", "ghcr.io/acme/db-api:1.4", "feedback/db-api")
    assert (web.app, web.name, web.runtime, web.depends_on) == ("feedback", "web", "process", ("db-api",))
    assert web.health == core.HealthCheck(
        path="/health/deep",
        interval=30,
        timeout=5,
        healthy=2,
        unhealthy=3,
        codes=((200, 200),),
        host="www.example.com",
        headers=(("X-Forwarded-Proto", "https"),),
        body="ok",
    )
    assert (web.replicas, web.drain, web.grace, web.timeout, web.idle_timeout) == (2, 30, 10, 60, 3600)
    assert (web.sticky, web.preview) == (
        core.Sticky(cookie="sessionid", ttl=86400),
        core.Preview(header="X-Crossfade-Preview", port=8081, host="10.0.0.7"),
    )
    assert web.routes == (core.Rule(path="/api/*"), core.Rule(host="api.example.com"))
    assert (web.env[1], web.secrets, web.retain) == (("DEBUG", "true"), ("DATABASE_URL",), 7)
    assert web.resources == core.Resources(cpu=0.5, memory=1 << 30)
    assert web.hooks == core.Hooks(
        migrate="python -m app.migrate", schema="python -m app.schema", smoke="./smoke.sh", drain="./drain.sh"
    )
    assert web.strategy == core.Strategy(
        name="canary",
        steps=(10, 50, 100),
        checkpoints=(50, 100),
        bake=300,
        keep_previous=3600,
        keep_assets=15,
        min_healthy=50,
        max_surge=50,
        warmup=300,
        approve=(50,),
        timeout=600,
        rollback_on=core.RollbackOn(
            error_rate=0.005,
            p95_ms=500,
            judged_alone=True,
            worse_than_previous=2.0,
            min_requests=200,
            unhealthy=1,
            crash_loop=4,
            inconclusive="hold",
        ),
    )


def test_paths_are_meant_from_where_the_file_stands(tmp_path: Path) -> None:
    """The daemon works in another folder."""
    _, web = settled(tmp_path, FULL)
    assert web.source == str(tmp_path.resolve())
    assert web.listener == core.Listener(
        host="127.0.0.1",
        http=8000,
        https=8443,
        access_log=True,
        trusted_proxies=("127.0.0.0/8", "::1/128", "203.0.113.7/32"),
        redirects=(("old.example.com", "example.com"),),
        proxy_protocol=True,
        tls=core.Tls(
            certificate=str(tmp_path.resolve() / "tls/fullchain.pem"),
            key=str(tmp_path.resolve() / "tls/privkey.pem"),
            redirect_except=("/health",),
        ),
    )


def test_a_link_to_a_certificate_stays_a_link(tmp_path: Path) -> None:
    """A renewal gives it another target, and a rollback must not bring the old one back."""
    for name in ("fullchain", "privkey"):
        (tmp_path / f"{name}1.pem").write_text("")
        (tmp_path / f"{name}.pem").symlink_to(f"{name}1.pem")
    text = SMALL + "listen: {https: 8443}\ntls: {certificate: fullchain.pem, key: x/../privkey.pem}\n"
    (web,) = settled(tmp_path, text)
    assert web.listener.tls == core.Tls(certificate=str(tmp_path / "fullchain.pem"), key=str(tmp_path / "privkey.pem"))


def test_a_small_file_leaves_the_engine_its_own_defaults(tmp_path: Path) -> None:
    """Both houses mean the same by saying nothing, but for the bake, without which no release is judged."""
    (web,) = settled(tmp_path, SMALL)
    bare = core.Service(app="shop", name="web", source=str(tmp_path.resolve()), command="python -m shop --port $PORT")
    strategy = core.Strategy(bake=10.0, keep_assets=5.0)
    assert web == core.Service(
        app=bare.app, name=bare.name, source=bare.source, command=bare.command, strategy=strategy
    )


def test_an_environment_on_aws_is_part_of_its_services(tmp_path: Path) -> None:
    """There ECS runs them; what is on this machine belongs to no environment, whatever it is called."""
    web = "{image: shop/web, resources: {cpu: 0.5, memory: 1G}}"
    text = f"app: shop\nservices: {{web: {web}}}\nenvironments: {{local: {{}}, dev: {{platform: aws}}}}\n"
    (tmp_path / "crossfade.yaml").write_text(text)
    (there,) = settle(load(tmp_path / "crossfade.yaml", "dev"), tmp_path)
    (here,) = settle(load(tmp_path / "crossfade.yaml", "local"), tmp_path)
    assert (there.key, there.runtime) == ("shop@dev/web", "ecs")
    assert (here.key, here.runtime) == ("shop/web", "docker")


WORKER = """app: shop
services:
  mailer:
    kind: worker
    source: .
    command: celery -A shop worker
"""


def test_a_worker_is_healthy_by_running_and_has_a_grace_for_its_job(tmp_path: Path) -> None:
    """5 s and a minute where the file says nothing; nothing drains, and nothing of it is kept warm."""
    (mailer,) = settled(tmp_path, WORKER)
    assert (mailer.kind, mailer.health.after, mailer.health.command) == ("worker", 5.0, "")
    assert (mailer.grace, mailer.drain) == (60.0, 0.0)
    assert (mailer.strategy.keep_previous, mailer.strategy.keep_assets) == (0.0, 0.0)


def test_a_workers_health_may_be_a_command(tmp_path: Path) -> None:
    """Then the time that it has run says nothing."""
    (mailer,) = settled(tmp_path, WORKER + "    health: {command: celery inspect ping, interval: 30s}\n")
    assert (mailer.health.after, mailer.health.command, mailer.health.interval) == (None, "celery inspect ping", 30.0)


def test_a_container_starts_as_docker_has_it(tmp_path: Path) -> None:
    """A list goes to the ENTRYPOINT as it is, a text by way of a shell, and nothing in front of a process."""
    image = "app: shop\nservices: {web: {image: x, command: COMMAND}}\n"
    (words,) = settled(tmp_path, image.replace("COMMAND", "[serve, $PORT]"))
    (line,) = settled(tmp_path, image.replace("COMMAND", "serve $PORT"))
    assert (words.container.command, words.command) == (("serve", "$PORT"), "")
    assert (line.container.command, line.container.entrypoint) == (("/bin/sh", "-c", "serve $PORT"), ())
    db, web = settled(tmp_path, FULL)
    assert (db.container.entrypoint, db.container.user) == (("docker-entrypoint.sh", "-v"), "1000:1000")
    assert db.container.ulimits == (("core", 0, -1), ("nofile", 65536, 65536))
    assert web.container == Container()


def test_what_an_image_is_built_from_is_found_from_the_file(tmp_path: Path) -> None:
    """The context is absolute, but for one that Docker fetches."""
    (tmp_path / "api").mkdir()
    (tmp_path / "api/Dockerfile").touch()
    (here,) = settled(tmp_path, "app: shop\nservices: {web: {image: {build: {context: api, args: {B: 2, A: x}}}}}\n")
    assert here.container.build == Build(context=str(tmp_path / "api"), args=(("A", "x"), ("B", "2")))
    (far,) = settled(tmp_path, "app: shop\nservices: {web: {image: {build: 'https://example.com/a.git'}}}\n")
    assert far.container.build == Build(context="https://example.com/a.git")


def test_a_folder_of_the_machine_is_found_from_the_file(tmp_path: Path) -> None:
    """Absolute; a name stays a name."""
    (tmp_path / "data").mkdir()
    (web,) = settled(tmp_path, "app: shop\nservices: {web: {image: x, volumes: ['./data:/data:ro', 'up:/media']}}\n")
    assert web.volumes == (
        Volume(source=str(tmp_path / "data"), target="/data", read_only=True),
        Volume(source="up", target="/media"),
    )


def test_a_store_is_a_container_that_services_wait_for(tmp_path: Path) -> None:
    """Its own name on the app's network, which a single service gets for it too."""
    (tmp_path / "crossfade.yaml").write_text(FULL)
    _, store = settle_stores(load(tmp_path / "crossfade.yaml", "local"), tmp_path)
    made = store.service
    assert (store.key, store.port, store.patience, made.kind) == ("feedback/postgres", 5432, 300.0, "worker")
    assert made.container.command == ("postgres", "-c", "max_connections=200")
    assert (made.health.command, made.health.interval) == ("pg_isready -U postgres", 2.0)
    assert made.env == (("POSTGRES_DB", "shop"), ("VERSION", "1.10"))
    assert (store.backup, store.restore, store.keep) == ("pg_dump shop", "psql shop", 3)
    one = "app: shop\nservices: {web: {image: x}}\nstores: {db: {image: y, volumes: [data:/data]}}\n"
    (web,) = settled(tmp_path, one)
    assert (web.names.containers, web.names.peers) == (True, ())


SITED = """
app: shop
services:
  api: {image: acme/api, resources: {cpu: 0.5, memory: 1G}}
environments:
  prod:
    platform: aws
    cloud: {region: us-east-1, site: {folder: build, build: npm run build, fresh: {html: 1m}}}
"""


def test_a_site_is_a_service_that_goes_out_after_those_it_asks(tmp_path: Path) -> None:
    """Of an environment on AWS alone: with its folder, its build and how long its files are kept."""
    api, site = settled(tmp_path, SITED)
    assert (site.key, site.runtime, site.kind, site.depends_on) == ("shop@prod/site", "site", "web", (api.name,))
    assert (site.source, site.build, site.routes, site.replicas) == (str(tmp_path), "npm run build", (), 1)
    assert site.site == core.Site(folder="build", html=60.0)
    (alone,) = settled(tmp_path, SITED.replace("platform: aws", "platform: local"))
    assert alone.name == "api"


def test_a_site_can_be_deployed_by_its_name(tmp_path: Path) -> None:
    """Alone, and with a strategy that only services have."""
    path = tmp_path / "crossfade.yaml"
    path.write_text(SITED)
    said = deployable(path, called="crossfade.yaml", environment="prod", service="site", strategy="canary")
    assert [one["name"] for one in said["services"]] == ["site"]
    both = deployable(path, called="crossfade.yaml", environment="prod")
    assert [one["name"] for one in both["services"]] == ["api", "site"]
    with pytest.raises(WrongInputError, match="has no service sight") as error:
        deployable(path, called="crossfade.yaml", environment="prod", service="sight")
    assert "did you mean site?" in error.value.way_out


@pytest.mark.parametrize(
    ("snapshot", "migrate", "database"), [("true", "rake", "shop-prod"), ("false", "rake", ""), ("true", "", "")]
)
def test_a_database_is_kept_as_it_was_before_a_migration(
    tmp_path: Path, snapshot: str, migrate: str, database: str
) -> None:
    """Where the file asks for it, and a service migrates."""
    hooks = f"hooks: {{migrate: {migrate}}}" if migrate else "grace: 5s"
    text = SITED.replace("cpu: 0.5, memory: 1G}", f"cpu: 0.5, memory: 1G}}, {hooks}")
    text = text.replace("site: {folder", f"database: {{snapshot: {snapshot}}}, site: {{folder")
    assert settled(tmp_path, text)[0].snapshot == database


@pytest.mark.parametrize(("migrate", "dumped"), [("rake", True), ("", False)])
def test_a_database_host_is_written_down_before_a_migration(tmp_path: Path, migrate: str, dumped: bool) -> None:
    """Where the file has a bucket for it."""
    hooks = f"hooks: {{migrate: {migrate}}}" if migrate else "grace: 5s"
    text = SITED.replace("cpu: 0.5, memory: 1G}", f"cpu: 0.5, memory: 1G}}, {hooks}")
    database = "database: {host: true, instance: t3.small, dumps: backups}, buckets: {backups: {}}"
    text = text.replace("site: {folder", f"{database}, site: {{folder")
    assert settled(tmp_path, text)[0].dumped is dumped


def test_a_login_is_called_as_the_secret_is(tmp_path: Path) -> None:
    """By its own name or by the environment's; nothing on this machine, where Docker has logins of its own."""
    text = SITED.replace("image: acme/api", "image: {name: ghcr.io/acme/api:1, credentials: LOGIN}")
    for secret, name in (("{}", "shop/prod/LOGIN"), ("{name: acme/ghcr}", "acme/ghcr")):
        there = text.replace("site: {folder", f"secrets: {{LOGIN: {secret}}}, site: {{folder")
        assert settled(tmp_path, there)[0].login == name
    assert settled(tmp_path, text.replace("platform: aws", "platform: local"))[0].login == ""


@pytest.mark.parametrize(("written", "opened"), [("5432", (5432, None)), ("'5433:5432'", (5433, 5432))])
def test_a_stores_port_may_be_another_one_here(tmp_path: Path, written: str, opened: tuple[int, int | None]) -> None:
    """As Compose writes it: this machine's first, then the store's own."""
    text = (
        f"app: shop\nservices: {{web: {{image: x}}}}\nstores: {{db: {{image: y, volumes: [d:/d], port: {written}}}}}\n"
    )
    (tmp_path / "crossfade.yaml").write_text(text)
    (store,) = settle_stores(load(tmp_path / "crossfade.yaml"), tmp_path)
    assert (store.port, store.inside) == opened


@pytest.mark.parametrize("written", ["0", "true", "'1:2:3'", "'5433:db'", "70000"])
def test_a_port_that_is_none_is_said(tmp_path: Path, written: str) -> None:
    """With what is allowed."""
    text = (
        f"app: shop\nservices: {{web: {{image: x}}}}\nstores: {{db: {{image: y, volumes: [d:/d], port: {written}}}}}\n"
    )
    (tmp_path / "crossfade.yaml").write_text(text)
    with pytest.raises(WrongFileError, match="a port from 1 to 65535"):
        load(tmp_path / "crossfade.yaml")


def test_a_balancer_that_is_new_is_not_said_to_ask_others_for_parts_of_pages() -> None:
    """Who adds one says so where it does; until then `check` promises nothing of it."""
    assert [name for name in (*BALANCERS, "new") if asks_others("local", name, "")] == ["envoy", "nginx"]
