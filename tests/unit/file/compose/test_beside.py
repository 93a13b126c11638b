"""What stays in Compose beside the new file, and what a service had that its instances have not."""

from pathlib import Path

import pytest
from tests.unit.file.compose.composed import Composed, one, services

WEB = {"image": "acme/web:1", "ports": ["3000:3000"]}
SOCKET = "/var/run/docker.sock:/var/run/docker.sock"


def test_what_stays_and_is_needed_is_to_be_started_by_the_very_command(tmp_path: Path) -> None:
    """With all files that were named, and without what of this file it waits for."""
    rpc = {"image": "acme/rpc:1", "ports": ["50051:50051"], "depends_on": ["db"]}
    text = services(
        web={**WEB, "environment": {"RPC_HOST": "rpc:50051"}},
        rpc=rpc,
        db={"image": "postgres:16"},
        mail={"image": "acme/mail:1", "ports": ["25:25"]},
    )
    carried = Composed(tmp_path, text, {"over.yaml": "services: {web: {environment: {A: b}}}\n"})
    compose = f"docker compose -f {tmp_path}/compose.yaml -f {tmp_path}/over.yaml up -d"
    assert [str(todo) for todo in carried.draft.todos if todo.where == "services"] == [
        f"services: start rpc in Compose: {compose} --no-deps rpc",
        f"services: start mail in Compose: {compose} mail",
    ]


def test_what_rules_docker_stays_in_compose(tmp_path: Path) -> None:
    """No instance gets the socket; one that answers requests may do without."""
    text = services(
        watchtower={"image": "containrrr/watchtower", "volumes": [SOCKET]},
        portainer={"image": "portainer/portainer-ce:2", "ports": ["9000:9000"], "volumes": [SOCKET]},
        web={**WEB, "volumes": [SOCKET]},
    )
    carried = Composed(tmp_path, text)
    assert carried.kinds() == {"watchtower": "other", "portainer": "other", "web": "service"}
    assert "have it work without /var/run/docker.sock" in carried.todo("services.web")


def test_what_rules_docker_and_is_alone_comes_in(tmp_path: Path) -> None:
    """With what it does not get at the top of the list."""
    tool = {"image": "portainer/portainer-ce:2", "ports": ["9000:9000"], "volumes": [SOCKET]}
    carried = Composed(tmp_path, services(portainer=tool))
    assert carried.kinds() == {"portainer": "service"}
    assert carried.draft.todos[0].what.startswith("leave it in Compose, or have it work without")


def test_where_a_migration_wrote_its_service_has_to_write(tmp_path: Path) -> None:
    """Static files that one collects, and the other only serves."""
    collect = {"image": "acme/web:1", "command": "collectstatic", "restart": "no", "environment": {"ONLY": "here"}}
    text = services(
        web={**WEB, "volumes": ["static:/static:ro", "media:/media"]},
        collect={**collect, "volumes": ["static:/static", "media:/media", "logs:/logs"]},
    )
    carried = Composed(tmp_path, text)
    said = carried.todo("services.web.volumes")
    assert "mount static:/static so that hooks.migrate can write there as collect did: it is only read here" in said
    assert "mount logs:/logs so that hooks.migrate can write there as collect did: it is not mounted here" in said
    assert "media:/media so that" not in said
    assert "with the variables of web, which has no ONLY" in carried.todo("services.web.hooks.migrate")


def test_one_impossible_mount_takes_no_other_with_it(tmp_path: Path) -> None:
    """What can be mounted is, and the one that cannot is told."""
    carried = one(tmp_path, r"volumes: ['data:/data', 'C:\Users\me:/win', 'more:/more', 'data:/data/:z']")
    assert [str(volume.target) for volume in carried.service().volumes] == ["/data", "/more"]
    assert r"found \Users\me" in "".join(left.why for left in carried.left)


def test_a_value_of_several_lines_may_have_a_comment(tmp_path: Path) -> None:
    """Which would be text inside of quotes."""
    cache = "other_cache: {image: 'redis:7'}"
    text = "services:\n  web:\n    image: x:1\n    ports: [80]\n    environment:\n      CONF: |-\n"
    carried = Composed(tmp_path, f"{text}        cache_url redis://other_cache:6379\n        # b: c\n\n  {cache}\n")
    assert carried.service().env["CONF"] == "cache_url redis://other-cache:6379\n# b: c"


def test_a_host_name_with_dots_is_no_address_of_a_container(tmp_path: Path) -> None:
    """Visitors type it; an address that is fixed in a network is one."""
    pg = {"image": "postgres:16", "networks": {"back": {"ipv4_address": "10.5.0.5"}}}
    env = {"EXTERNAL_URL": "https://git.example.com:89/", "PG": "postgres://10.5.0.5:5432/x"}
    text = services(web={**WEB, "hostname": "git.example.com", "environment": env}, pg=pg)
    carried = Composed(tmp_path, text)
    assert carried.service().env == {"EXTERNAL_URL": "https://git.example.com:89/", "PG": "postgres://pg:5432/x"}


def test_php_fpm_without_a_proxys_files_is_no_worker(tmp_path: Path) -> None:
    """It has to answer HTTP; a command of another kind is one that it runs in the background."""
    image = {"image": "nextcloud:30-fpm-alpine"}
    carried = Composed(tmp_path, services(web=WEB, cloud=image, jobs={**image, "command": "php jobs.php"}))
    assert (carried.kinds()["cloud"], carried.kinds()["jobs"]) == ("service", "worker")
    assert "have its image answer HTTP" in carried.todo("services.cloud")


def test_a_check_that_is_no_plain_get_stays_a_command(tmp_path: Path) -> None:
    """With a login or another method only the command knows what it asks."""
    for check in ("curl -f -u a:b http://localhost/x", "curl -f -X POST http://localhost/x"):
        carried = one(tmp_path, f"healthcheck: {{test: '{check}'}}")
        assert carried.service().health.command == check


def test_a_check_that_takes_every_answer_is_a_thing_to_do(tmp_path: Path) -> None:
    """Ours wants a good one, so it may never be healthy."""
    carried = one(tmp_path, "healthcheck: {test: 'curl -I http://localhost/x'}")
    assert "see that GET /x answers 200-399: curl without -f takes every answer" in carried.todo("services.web.health")


def test_the_check_of_a_dockerfile_is_the_services(tmp_path: Path) -> None:
    """As Compose has it, where its file names no other and switches none off."""
    dockerfile = "FROM x\nEXPOSE 5000\nHEALTHCHECK CMD curl -f http://localhost:5000/up\n"
    text = services(web={"build": "."}, off={"build": ".", "healthcheck": {"disable": True}})
    carried = Composed(tmp_path, text, {"Dockerfile": dockerfile})
    assert (carried.service().health.path, carried.service("off").health.path) == ("/up", "/")


@pytest.mark.parametrize(
    "check",
    [
        "exec 3<>/dev/tcp/127.0.0.1/9000; echo -e 'GET /ready HTTP/1.1\\r\\nhost: http://localhost' >&3; grep UP <&3",
        "curl -f http://localhost:2019/metrics",
    ],
)
def test_what_only_answers_inside_is_asked_inside(tmp_path: Path, check: str) -> None:
    """What bash writes to a port is no URL, and Caddy's own port is the container's."""
    web = {**WEB, "healthcheck": {"test": check}}
    assert Composed(tmp_path, services(web=web)).service().health.command == check


def test_source_that_compose_mounted_has_to_be_in_the_image(tmp_path: Path) -> None:
    """The image of a language has nothing of an app, so that nothing runs; another one may have it."""
    source = {"ports": ["80:80"], "volumes": ["./:/app"]}
    text = services(web={**source, "image": "node:22"}, own={**source, "image": "acme/own:1"}, built={"build": "."})
    carried = Composed(tmp_path, text, {"Dockerfile": "FROM x\nEXPOSE 1\n"})
    order = [todo.where for todo in carried.draft.todos if "into the image, at /app" in todo.what]
    assert order == ["services.web.image", "services.own.image"]
    assert carried.draft.todos[0].where == "services.web.image"


def test_https_of_a_service_itself_is_a_thing_to_do(tmp_path: Path) -> None:
    """Visitors came in there; datagrams of HTTP/3 are told as what they are."""
    carried = Composed(tmp_path, services(web={"image": "x:1", "ports": ["80:80", "443:443", "443:443/udp"]}))
    assert "listen: {https: 443}: web served HTTPS at that port itself" in carried.todo("tls")
    assert carried.why("port 443:443/udp") == "crossfade serves HTTP, which is TCP"


def test_a_folder_with_dockers_socket_in_it_is_not_given(tmp_path: Path) -> None:
    """No more than the socket itself."""
    carried = Composed(tmp_path, services(web={**WEB, "volumes": ["/var/run:/var/run:ro", "/var/lib/docker:/d:ro"]}))
    assert not carried.service().volumes
    assert [left.why for left in carried.left if left.what.startswith("volume")] == [
        "/var/run of the machine is not given to instances",
        "/var/lib/docker of the machine is not given to instances",
    ]


def test_what_need_not_be_there_is_not_waited_for(tmp_path: Path) -> None:
    """`required: false` of one that nobody starts."""
    text = services(
        web={**WEB, "depends_on": {"tool": {"condition": "service_started", "required": False}}},
        tool={"image": "x:1", "profiles": ["x"]},
    )
    assert not [left for left in Composed(tmp_path, text).left if left.what == "depends_on tool"]


def test_addresses_in_a_command_are_what_things_are_called_here(tmp_path: Path) -> None:
    """By whichever name their container had; a word that only reads like one stays."""
    command = ["celery", "-A", "my_app", "--broker=redis://cache_1:6379/0", "--host=my_app", "my_app"]
    text = services(
        web={**WEB, "command": command},
        cache={"image": "redis:7", "container_name": "cache_1"},
        my_app={"image": "acme/my:1", "ports": ["81:81"]},
    )
    carried = Composed(tmp_path, text)
    assert carried.service().command == "celery -A my_app --broker=redis://cache:6379/0 --host=my-app my_app"
