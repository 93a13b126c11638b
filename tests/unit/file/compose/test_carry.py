"""From a Compose file: what comes along, what is listed as left behind, and a file that loads."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.file.compose.composed import Composed, one
from tests.unit.file.test_mutations import KEYS, VALUES, places

from crossfade.core.errors import WrongInputError
from crossfade.file.init.compose.carry import from_compose
from crossfade.file.parts.image import Build, Image

SHOP = """\
name: My Shop
x-common: &common
  restart: unless-stopped
services:
  web:
    <<: *common
    image: ghcr.io/acme/shop:${TAG:-1.2}
    ports: ["127.0.0.1:8000:3000", "9229:9229", "53:53/udp"]
    environment:
      - NODE_ENV=production
      - VERSION=1.10
      - DATABASE_URL=postgres://shop:geheim@db/shop
      - STRIPE_KEY
      - PORT=3000
    env_file: .env
    depends_on:
      db: {condition: service_healthy}
      migrate: {condition: service_completed_successfully}
      api: {condition: service_started}
    healthcheck:
      test: ["CMD", "curl", "-f", "http://localhost:3000/health/deep"]
      interval: 1m30s
      timeout: 10s
      retries: 5
      start_period: 40s
    deploy:
      replicas: 3
      update_config: {parallelism: 1, delay: 10s, order: start-first, failure_action: rollback, monitor: 1m}
      resources: {limits: {cpus: "0.50", memory: 512M}, reservations: {memory: 256M}}
      restart_policy: {condition: on-failure}
    command: node server.js --port=$$PORT
    stop_grace_period: 1m
    volumes: ["./uploads:/uploads"]
  api:
    build: {context: ./api}
    expose: ["4000"]
    environment: {DEBUG: true, RATIO: 1.10, API_TOKEN: geheim}
    mem_limit: 256m
    cpus: 0.25
    scale: 2
  migrate: {image: ghcr.io/acme/shop, command: ./migrate, ports: [1]}
  db: {image: "postgres:16", volumes: ["db:/var/lib/postgresql/data"]}
  cache: {image: "docker.io/bitnami/redis@sha256:abc"}
  worker: {image: ghcr.io/acme/worker}
  proxy: {image: "nginx:1.27", ports: ["80:80"], depends_on: [web]}
volumes: {db: {}}
networks: {front: {}}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Composed:
    return Composed(tmp_path, SHOP, {"api/Dockerfile": "FROM x\n"})


def test_a_service_is_carried_over_in_our_words(shop: Composed) -> None:
    """Image, command, port, replicas, health, limits and the time it gets to stop."""
    web = shop.service()
    assert (shop.app.name, shop.app.listen.http) == ("my-shop", 80)
    assert (web.image, web.command, web.port, web.replicas) == (
        Image(name="ghcr.io/acme/shop:1.2"),
        "node server.js '--port=$PORT'",  # Compose starts no shell, which would put a number there
        3000,
        3,
    )
    assert (web.health.path, web.health.interval, web.health.timeout, web.health.unhealthy) == (
        "/health/deep",
        90.0,
        10.0,
        5,
    )
    assert (web.resources.cpu, web.resources.memory, web.grace) == (0.5, 512 << 20, 60.0)


def test_only_what_is_no_secret_is_written_down(shop: Composed) -> None:
    """Passwords, tokens and addresses with a login are named under secrets; so is what the shell gave."""
    assert shop.service().env == {"NODE_ENV": "production", "VERSION": "1.10"}
    assert shop.service().secrets == ("DATABASE_URL", "STRIPE_KEY")
    assert shop.service("api").env == {"DEBUG": "true", "RATIO": "1.10"}
    assert shop.service("api").secrets == ("API_TOKEN",)
    assert "geheim" not in shop.text + "".join(map(str, shop.left))


def test_dependencies_among_carried_services_stay(shop: Composed) -> None:
    """Those on services that stay where they are go."""
    assert shop.service().depends_on == ("api",)


def test_a_built_service_is_built_by_each_deploy(shop: Composed) -> None:
    """From the same folder."""
    api = shop.service("api")
    image = Image(build=Build(context="api"))
    assert (api.image, api.port, api.replicas, api.resources.cpu) == (image, 4000, 2, 0.25)
    assert "image: {build: api}" in shop.text


def test_what_keeps_state_is_no_part_of_releases(shop: Composed) -> None:
    """A store, which no deploy touches; the evidence stands beside it."""
    assert set(shop.app.services) == {"web", "api", "worker"}
    assert set(shop.app.stores) == {"db", "cache"}
    assert "# image postgres, data in /var/lib/postgresql, called db" in shop.text
    assert "# image redis, called cache" in shop.text


def test_services_that_serve_no_requests_are_left_with_a_way_out(shop: Composed) -> None:
    """A job, and the proxy that crossfade replaces."""
    assert shop.why("migrate").startswith("it runs once, before others: put its command into their hooks.migrate")
    assert shop.why("proxy").startswith("crossfade's own balancer takes its place")


WORKERS = """\
services:
  web: {image: "acme/web:1", ports: ["8000:8000"], depends_on: [worker]}
  worker:
    image: acme/web:1
    command: celery -A shop worker
    stop_grace_period: 5m
    healthcheck: {test: celery -A shop inspect ping, interval: 30s, retries: 2}
  beat: {image: "acme/web:1", command: celery -A shop beat, deploy: {replicas: 2}}
"""


def test_workers_come_along(tmp_path: Path) -> None:
    """With their grace, and their check as a command; nobody is sent to them, and they are waited for."""
    carried = Composed(tmp_path, WORKERS)
    worker, web = carried.service("worker"), carried.service("web")
    assert (worker.kind, worker.grace, worker.health.command) == ("worker", 300.0, "celery -A shop inspect ping")
    assert (worker.health.interval, worker.health.unhealthy) == (30.0, 2)
    assert web.depends_on == ("worker",)
    assert [route.path for route in web.routes] == ["/*"]
    assert not [place for place in carried.places() if place.startswith("services.worker")]


def test_what_runs_by_the_clock_is_never_there_twice(tmp_path: Path) -> None:
    """One of it, recreated, whatever Compose said."""
    beat = Composed(tmp_path, WORKERS).service("beat")
    assert (beat.kind, beat.replicas, beat.deploy.strategy) == ("worker", 1, "recreate")


def test_one_without_a_port_is_taken_for_a_worker_and_told(tmp_path: Path) -> None:
    """Nothing says that it answers requests."""
    carried = Composed(tmp_path, WORKERS + "  silent: {image: 'acme/silent:1'}\n")
    assert carried.service("silent").kind == "worker"
    assert "and a worker is assumed" in "; ".join(todo.what for todo in carried.draft.todos)


def test_a_second_service_gets_a_path_of_its_own(shop: Composed) -> None:
    """One application has one listener; that the path is made up is said."""
    assert [route.path for route in shop.service("api").routes] == ["/api/*"]
    assert "write its real path or host into routes" in shop.why("an address of its own for api")


def test_a_network_of_others_is_joined(tmp_path: Path) -> None:
    """One that its proxy alone needed is not, and a second one is told."""
    text = """\
services:
  web: {image: "a/web:1", ports: ["80:80"], networks: [edge_proxy, back, shared, more]}
networks:
  edge_proxy: {external: true}
  back: {internal: true}
  shared: {external: true, name: platform_default}
  more: {external: true}
"""
    carried = Composed(tmp_path, text)
    assert carried.app.network == "platform_default"
    assert carried.why("network more") == "a file joins one network, and this one platform_default"


def test_what_a_volume_is_elsewhere_is_told(tmp_path: Path) -> None:
    """Its driver and options; one that says nothing, or only which it is, has lost nothing."""
    volumes = "{data: , old: {external: true}, nfs: {driver_opts: {type: nfs, device: ':/x'}}}"
    mounts = "['data:/data', 'old:/old', 'nfs:/nfs']"
    text = f"services:\n  web: {{image: 'a/web:1', ports: ['80:80'], volumes: {mounts}}}\nvolumes: {volumes}\n"
    assert Composed(tmp_path, text).places() == ["volumes.nfs"]


def test_everything_that_is_left_is_listed_with_its_line(shop: Composed, tmp_path: Path) -> None:
    """Nothing disappears silently, and secrets' values are not in the list."""
    assert sorted(shop.places()) == sorted(
        [
            "services.web.ports.1",
            "services.web.ports.2",
            "services.web.healthcheck.start_period",
            "services.web.environment.2",
            "services.web.environment.3",
            "services.web.environment.4",
            "services.web.deploy.resources.reservations",
            "services.web.deploy.restart_policy",
            "services.web.restart",
            "services.web.env_file",
            "services.api.environment.API_TOKEN",
            "services.migrate",
            "services.proxy",
            "services.api",
        ]
    )
    assert shop.draft.folders == [tmp_path / "uploads"]
    assert [(one.source, one.target) for one in shop.service().volumes] == [("./uploads", "/uploads")]
    assert str(shop.left[0]).startswith(f"{tmp_path}/compose.yaml:")


def test_start_first_is_a_rolling_deploy_with_surge(shop: Composed) -> None:
    """Batches of 1 in 3 are 33 %, which rounds up to 1 again."""
    deploy = shop.service().deploy
    assert (deploy.strategy, deploy.min_healthy, deploy.max_surge, deploy.warmup, deploy.bake) == (
        "rolling",
        100,
        33,
        10.0,
        60.0,
    )


@pytest.mark.parametrize(
    ("replicas", "update", "bounds"),
    [
        (3, "{parallelism: 1}", (66, 0)),
        (3, "{parallelism: 2, order: stop-first}", (33, 0)),
        (4, "{parallelism: 0}", (0, 0)),
        (1, "{}", (0, 0)),
        (200, "{parallelism: 1, order: start-first}", (100, 1)),
        (2, "{parallelism: 9, order: start-first}", (100, 100)),
    ],
)
def test_batches_become_percentages(tmp_path: Path, replicas: int, update: str, bounds: tuple[int, int]) -> None:
    """Compose counts instances, crossfade shares of them; 0 is all at once."""
    deploy = one(tmp_path, f"deploy: {{replicas: {replicas}, update_config: {update}}}").service().deploy
    assert (deploy.strategy, (deploy.min_healthy, deploy.max_surge)) == ("rolling", bounds)


def test_without_an_update_config_the_deploy_is_ours(tmp_path: Path) -> None:
    """Blue-green, which is the safest."""
    assert one(tmp_path, "deploy: {replicas: 2}").service().deploy.strategy == "blue-green"


def test_another_failure_action_than_rollback_is_listed(tmp_path: Path) -> None:
    """Because crossfade always rolls back."""
    carried = one(tmp_path, "deploy: {update_config: {failure_action: continue, max_failure_ratio: 0.1}}")
    assert carried.why("failure_action continue") == "crossfade always takes a bad release back"
    assert carried.why("max_failure_ratio").startswith("a release is judged by its requests")


@pytest.mark.parametrize(
    ("test", "path"),
    [
        ('"curl -f http://localhost/up || exit 1"', "/up"),
        ('["CMD-SHELL", "wget -qO- http://127.0.0.1:80/a/b?c=d | grep ok"]', "/a/b?c=d"),
        ('["CMD", "curl", "-f", "http://localhost:80"]', "/"),
    ],
)
def test_the_url_of_a_healthcheck_is_its_path(tmp_path: Path, test: str, path: str) -> None:
    """Whatever program asks it."""
    carried = one(tmp_path, f"healthcheck: {{test: {test}}}")
    assert (carried.service().health.path, carried.left) == (path, [])


@pytest.mark.parametrize("test", ["[CMD, is_it_up]", "nc -z localhost 80"])
def test_a_healthcheck_that_asks_no_url_is_a_command(tmp_path: Path, test: str) -> None:
    """Run beside the instance, as Compose runs it."""
    carried = one(tmp_path, f"healthcheck: {{test: {test}, interval: 5s, retries: 7}}")
    health = carried.service().health
    assert (health.command, health.interval, health.unhealthy) == (test.strip("[]").removeprefix("CMD, "), 5.0, 7)
    assert (carried.left, carried.draft.todos) == ([], [])


@pytest.mark.parametrize(
    ("ports", "listen", "port"),
    [
        ("['8000:3000']", 8000, 3000),
        ("['8000:3000/tcp']", 8000, 3000),
        ("[8000:3000]", 8000, 3000),
        ("['3000']", 8080, 3000),
        ("[3000]", 8080, 3000),
        ("['[::1]:8000:3000']", 8000, 3000),
        ("[{target: 3000, published: 8000}]", 8000, 3000),
        ("[{target: 3000, published: '8000', protocol: tcp, mode: host}]", 8000, 3000),
        ("['443:443', '8000:3000']", 8000, 3000),
        ("['${PORT:-8000}:3000']", 8000, 3000),
        ("['5000-5005:5000-5005', '8000:3000']", 8000, 3000),
    ],
)
def test_the_first_port_is_the_one(tmp_path: Path, ports: str, listen: int, port: int) -> None:
    """Published where visitors come in, the target where the container listens."""
    carried = Composed(tmp_path, f"services: {{web: {{image: x, ports: {ports}}}}}")
    assert (carried.app.listen.http, carried.service().port) == (listen, port)


def test_a_port_may_come_from_the_healthcheck(tmp_path: Path) -> None:
    """Where nothing is published, because a proxy in the same network asked."""
    text = "services: {web: {image: x, healthcheck: {test: curl http://localhost:5000/up}}}"
    assert Composed(tmp_path, text).service().port == 5000


def test_a_value_crossfade_does_not_take_is_left_out_with_what_it_takes(tmp_path: Path) -> None:
    """The file that is written loads, whatever Compose allows."""
    carried = one(
        tmp_path, "stop_grace_period: 48h", "mem_limit: 1m", "healthcheck: {interval: 10s, timeout: 30s, retries: 0}"
    )
    assert (carried.service().grace, carried.service().resources.memory) == (10.0, None)
    assert carried.why("services.web.grace") == 'found "48h"; allowed: a duration from 0s to 1d'
    assert "services.web.health.unhealthy" in [left.what for left in carried.left]


def test_a_name_of_compose_becomes_one_of_ours(tmp_path: Path) -> None:
    """Two that become the same are not mixed up."""
    carried = Composed(tmp_path, "services: {my_Web.1: {image: x, ports: [80]}, my-web-1: {image: y, ports: [81]}}")
    assert list(carried.app.services) == ["my-web-1"]
    assert carried.why("my-web-1") == "another service is called my-web-1 already"


def test_variables_without_default_are_listed(tmp_path: Path) -> None:
    """Compose would warn and take them as empty."""
    carried = Composed(
        tmp_path, "services: {web: {image: 'acme/shop:${TAG}', ports: [80], environment: {A: '${B}', C: $$x}}}"
    )
    assert (carried.service().image, carried.service().env, carried.service().secrets) == (
        Image(name="acme/shop"),
        {"A": "", "C": "$x"},
        (),
    )
    assert carried.why("A=${B}") == "B is set nowhere, so Compose takes it as empty; so does this file"
    assert carried.todo("services.web.image").startswith("write a tag: acme/shop alone is acme/shop:latest")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: b\n", "is not a Compose file: it has no services"),
        ("services: {db: {image: postgres}}\n", "has only data stores; they stay in Compose:\n  .*db: it keeps state"),
        ("services: {web: 5}\n", "services.web: found 5; allowed: a mapping such as web"),
        ("services: [\n", "a bracket that is not closed"),
    ],
)
def test_what_cannot_be_carried_at_all_is_wrong_input(tmp_path: Path, text: str, said: str) -> None:
    """With the reasons."""
    (tmp_path / "compose.yaml").write_text(text)
    with pytest.raises(WrongInputError, match=said):
        from_compose([tmp_path / "compose.yaml"])


def test_a_missing_compose_file_is_wrong_input(tmp_path: Path) -> None:
    """Named as it was given."""
    with pytest.raises(WrongInputError, match=r"there is no file .*compose\.yaml\n  [Nn]ame a Compose file"):
        from_compose([tmp_path / "compose.yaml"])


def test_a_path_that_cannot_be_is_no_folder(tmp_path: Path) -> None:
    """One that is longer than a path may be, or that leads back to itself, is told as one that is not there."""
    (tmp_path / "loop").symlink_to("loop")
    api = {"image": "api", "ports": ["80:80"], "build": "x" * 5000, "volumes": ["./loop:/data"]}
    (tmp_path / "compose.yaml").write_text(yaml.safe_dump({"services": {"api": api}}))
    left = from_compose([tmp_path / "compose.yaml"], tmp_path, {}).left
    assert left[0].why.endswith("which does not exist; allowed: an existing folder")


def test_a_project_without_a_name_of_docker_s_joins_no_network(tmp_path: Path) -> None:
    """What Docker would not call a network is not written as one."""
    db = {"image": "acme/mail:1", "ports": ["25:25"]}
    web = {"image": "web", "ports": ["80:80"], "environment": {"DB_HOST": "db"}}
    tree = {"name": " ", "services": {"web": web, "db": db}, "volumes": {"data": {}}}
    assert "network" not in Composed(tmp_path, yaml.safe_dump(tree)).app.model_fields_set


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_compose_file_is_carried_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    """Something else where a value stood leads to a file that loads, or to one clear refusal."""
    tree: Any = yaml.safe_load(SHOP)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from([place for place in places(tree) if place]))
        parent = tree
        for key in place[:-1]:
            parent = parent[key]
        parent[place[-1]] = data.draw(VALUES)
        if isinstance(parent, dict):
            parent[data.draw(KEYS)] = data.draw(VALUES)
    try:
        carried = Composed(tmp_path, yaml.safe_dump(tree, allow_unicode=True))
    except WrongInputError as refusal:
        assert "crossfade.yaml" not in str(refusal)  # noqa: PT017 - what we wrote is never what is wrong
    else:
        assert carried.app.services
