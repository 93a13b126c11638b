"""What a service runs, is asked and is told, as Compose has it."""

from pathlib import Path

import pytest
from tests.unit.file.compose.composed import Composed, one, services

from crossfade.file.init.compose.carry import from_compose

DOCKERFILE = 'FROM python:3.12\nENTRYPOINT ["./entry.sh"]\n'


def test_entrypoint_and_command_are_joined(tmp_path: Path) -> None:
    """Which is exactly what Compose runs."""
    carried = one(tmp_path, "entrypoint: docker/entry.sh", "command: [rails, s, -p, '3000']")
    assert carried.service().command == "docker/entry.sh rails s -p 3000"
    assert carried.left == []


def test_a_command_as_text_meets_no_shell(tmp_path: Path) -> None:
    """It is split into words, and each stays one."""
    carried = one(tmp_path, "command: serve --not ^/(a|b)$$ --next http://x/?a=1&b=2 'two words'", "entrypoint: []")
    assert "command: [serve, --not, ^/(a|b)$, --next, 'http://x/?a=1&b=2', two words]" in carried.text


def test_a_command_alone_is_what_follows_the_images_entrypoint(tmp_path: Path) -> None:
    """Which the Dockerfile tells where there is one; else it is to be looked up, first of all when it is an option."""
    carried = one(tmp_path, 'command: ["--config=/etc/x.yml"]')
    todo = carried.draft.todos[0]
    assert (todo.where, "put the image's ENTRYPOINT, if it has one, in front" in todo.what) == (
        "services.web.command",
        True,
    )
    built = one(tmp_path, "build: .", "command: [serve]", files={"Dockerfile": DOCKERFILE})
    assert (built.service().command, built.todo("services.web.command")) == ("./entry.sh serve", "")
    shell = one(tmp_path, "build: .", "command: [serve]", files={"Dockerfile": "FROM x\nENTRYPOINT ./run\n"})
    assert shell.service().command is None
    assert "takes no command" in shell.why("command serve")


def test_the_line_that_builds_the_image_is_exact(tmp_path: Path) -> None:
    """File, target, arguments; a secret one comes from the shell; the folder is that of the Compose file."""
    (tmp_path / "deploy").mkdir()
    build = {
        "context": "..",
        "dockerfile": "docker/web.Dockerfile",
        "target": "prod",
        "args": {"MODE": "live it", "NPM_TOKEN": "geheim", "BARE": None},
    }
    (tmp_path / "deploy/compose.yaml").write_text(services(web={"build": build, "ports": ["3000:3000"]}))
    draft = from_compose([tmp_path / "deploy/compose.yaml"], tmp_path, {})
    line = "docker build -t deploy-web:latest -f docker/web.Dockerfile --target prod --build-arg 'MODE=live it'"
    assert draft.todos[0].what == f"build it: {line} --build-arg NPM_TOKEN --build-arg BARE ."
    assert "geheim" not in draft.text + "".join(map(str, draft.left))


@pytest.mark.parametrize(
    ("test", "health"),
    [
        ('["CMD-SHELL", "curl -sf localhost:80/health || exit 1"]', {"path": "/health", "codes": "200-399"}),
        ("wget -q -O- localhost:80/up", {"path": "/up", "codes": "200-299"}),
        ('["CMD", "wget", "--spider", "http://127.0.0.1/up?a=b"]', {"path": "/up?a=b"}),
        ("curl -fL http://localhost/", {"path": "/", "codes": "200-299"}),
        ("curl -f http://$$HOSTNAME/up", {"path": "/up"}),
        ("curl -f -H 'Host: www.example.com' http://localhost/up", {"host": "www.example.com"}),
        ('curl -f -H "X-Probe: yes" http://localhost/up', {"headers": {"X-Probe": "yes"}}),
        ("curl -fs http://localhost/up | grep -q UP", {"path": "/up", "body": "UP"}),
        ("""["CMD", "node", "-e", "fetch('http://localhost:80/api/ok').then(r => 1)"]""", {"path": "/api/ok"}),
    ],
)
def test_a_healthcheck_becomes_a_request(tmp_path: Path, test: str, health: dict[str, object]) -> None:
    """Path, codes, host, headers and body, whatever program asks."""
    carried = one(tmp_path, f"healthcheck: {{test: {test if test.startswith('[') else repr(test)}}}")
    found = carried.service().health.model_dump()
    assert {key: found[key] for key in health} == health
    assert carried.left == []


def test_a_healthcheck_at_another_port_is_told(tmp_path: Path) -> None:
    """Where nobody may answer it, no instance would ever be healthy."""
    carried = one(tmp_path, "healthcheck: {test: curl -f http://localhost:8081/actuator/health}")
    assert carried.why("port 8081") == "the check asks port 8081; crossfade asks port 80"
    assert carried.todo("services.web.health").startswith("the check asks port 8081; crossfade asks port 80")


@pytest.mark.parametrize(
    ("check", "why"),
    [
        ("", "Compose had no check"),
        ("healthcheck: {disable: true}", "Compose's check was switched off"),
        ('healthcheck: {test: ["NONE"]}', "Compose's check was switched off"),
        ("healthcheck: {interval: 5s}", "Compose left it to the image"),
        ("healthcheck: {test: nc -z localhost 80}", "Compose's check asks only whether port 80 is open"),
    ],
)
def test_a_path_that_is_assumed_says_so_in_the_file(tmp_path: Path, check: str, why: str) -> None:
    """And in the list."""
    carried = one(tmp_path, check)
    assert f"  # must answer 200-299; {why}\n" in carried.text
    assert "/ is assumed" in carried.todo("services.web.health")


@pytest.mark.parametrize(
    ("service", "files", "port"),
    [
        ({"environment": {"PORT": 5000}}, {}, 5000),
        ({"build": ".", "image": "x:1"}, {"Dockerfile": "FROM scratch\nEXPOSE 5000\n"}, 5000),
        ({"environment": {"VIRTUAL_PORT": "4000", "VIRTUAL_HOST": "x.example.com"}}, {}, 4000),
        ({"expose": ["9229", "3000"]}, {}, 3000),
        ({"env_file": "web.env"}, {"web.env": "PORT=7000\n"}, 7000),
    ],
)
def test_a_port_is_found_where_it_stands(
    tmp_path: Path, service: dict[str, object], files: dict[str, str], port: int
) -> None:
    """Variables, Dockerfile, labels of a proxy - where nothing is published."""
    proxy = {"image": "nginx:1.27", "ports": ["80:80"], "depends_on": ["app"]}
    carried = Composed(tmp_path, services(app={"image": "x:1", **service}, nginx=proxy), files)
    assert carried.service("app").port == port


def test_a_port_that_nothing_tells_is_asked_for(tmp_path: Path) -> None:
    """Behind a proxy a service answers HTTP, somewhere."""
    proxy = {"image": "nginx:1.27", "ports": ["80:80"], "depends_on": ["app"]}
    carried = Composed(tmp_path, services(app={"image": "x:1"}, nginx=proxy))
    assert "port: 8080  # assumed" in carried.text
    assert carried.draft.todos[0].what == "write where it listens; 8080 is assumed"


def test_mounts_are_told_one_by_one(tmp_path: Path) -> None:
    """What begins empty, what belongs into the image, what is not given."""
    carried = one(
        tmp_path,
        "volumes: ['data:/app/data', './app.conf:/etc/app.conf:ro', '/var/run/docker.sock:/var/run/docker.sock',"
        " '.:/app', '/app/node_modules', {type: tmpfs, target: /tmp}]",
    )
    assert carried.why("volume data:/app/data").startswith("/app/data begins empty with every release")
    assert carried.why("volume ./app.conf:/etc/app.conf:ro") == "copy app.conf into the image, at /etc/app.conf"
    assert carried.why("volume /var/run/docker.sock:/var/run/docker.sock").startswith("the socket is not given")
    assert carried.why("volume .:/app").startswith("the image brings what is in /app")
    assert carried.why("volume /app/node_modules") == "the image brings /app/node_modules"
    assert carried.why("volume /tmp").startswith("/tmp is an ordinary folder")
    assert "/app/data begins empty with every release" in carried.todo("services.web")


def test_a_host_that_a_container_was_given_has_an_address(tmp_path: Path) -> None:
    """This machine, as containers see it."""
    carried = one(tmp_path, "extra_hosts: ['host.docker.internal:host-gateway', 'old=10.0.0.1']")
    assert carried.todo("services.web") == (
        "write 172.17.0.1, this machine as containers see it, where host.docker.internal is meant: instances get no "
        "names of hosts; write 10.0.0.1 where old is meant: instances get no names of hosts"
    )
