"""What a service runs, is asked and is told, as Compose has it."""

import json
from pathlib import Path

import pytest
from tests.unit.file.compose.composed import Composed, one, services

from crossfade.file.init.compose.carry import from_compose
from crossfade.file.load import load
from crossfade.file.parts.image import Build, Image


def test_entrypoint_and_command_are_carried_as_they_are(tmp_path: Path) -> None:
    """Each is what Compose has; an entrypoint that is switched off leaves the command alone."""
    carried = one(tmp_path, "entrypoint: docker/entry.sh", "command: [rails, s, -p, '3000']")
    web = carried.service()
    assert (web.entrypoint, web.command and web.command.words) == (("docker/entry.sh",), ("rails", "s", "-p", "3000"))
    bare = one(tmp_path, "entrypoint: []", "command: serve --now").service()
    assert (bare.entrypoint, bare.command and bare.command.words) == (("serve",), ("--now",))
    assert one(tmp_path, "entrypoint: ['']", "command: serve --now").service() == bare
    assert carried.left == []


def test_a_command_as_text_meets_no_shell(tmp_path: Path) -> None:
    """It is split into words, and each stays one."""
    carried = one(tmp_path, "command: serve --not ^/(a|b)$$ --next http://x/?a=1&b=2 'two words'")
    assert "command: [serve, --not, ^/(a|b)$, --next, 'http://x/?a=1&b=2', two words]" in carried.text


def test_a_command_alone_goes_to_the_images_entrypoint(tmp_path: Path) -> None:
    """As in Compose: nothing has to be looked up."""
    carried = one(tmp_path, 'command: ["--config=/etc/x.yml"]')
    assert "command: [--config=/etc/x.yml]" in carried.text
    assert (carried.todo("services.web.command"), carried.left) == ("", [])


def test_what_a_container_may_and_is_comes_along(tmp_path: Path) -> None:
    """User, rights, files, signal, hosts and limits are the same words; this machine's name every container has."""
    carried = one(
        tmp_path,
        "user: 1000:1000",
        "cap_drop: [ALL]",
        "read_only: true",
        "tmpfs: /run",
        "stop_signal: SIGQUIT",
        "extra_hosts: ['host.docker.internal:host-gateway', 'old=10.0.0.1']",
        "shm_size: 256m",
        "ulimits: {nofile: {soft: 1024, hard: 65536}}",
    )
    web = carried.service()
    assert (web.user, web.cap_drop, web.read_only, web.tmpfs) == ("1000:1000", ("ALL",), True, ("/run",))
    assert (web.stop_signal, web.extra_hosts, web.shm_size) == ("SIGQUIT", (("old", "10.0.0.1"),), 256 << 20)
    assert web.ulimits == (("nofile", 1024, 65536),)
    assert carried.left == []


def test_an_image_is_built_as_compose_builds_it(tmp_path: Path) -> None:
    """File, target, arguments, some from the shell; the folder is that of the Compose file."""
    (tmp_path / "deploy").mkdir()
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker/web.Dockerfile").write_text("FROM x\n")
    build = {
        "context": "..",
        "dockerfile": "docker/web.Dockerfile",
        "target": "prod",
        "args": {"MODE": "live it", "BARE": None},
    }
    (tmp_path / "deploy/compose.yaml").write_text(services(web={"build": build, "ports": ["3000:3000"]}))
    draft = from_compose([tmp_path / "deploy/compose.yaml"], tmp_path, {})
    (tmp_path / "crossfade.yaml").write_text(draft.text)
    image = load(tmp_path / "crossfade.yaml", variables={"BARE": "1"}).services["web"].image
    args = {"MODE": "live it", "BARE": "1"}
    assert image == Image(build=Build(context=".", dockerfile="docker/web.Dockerfile", target="prod", args=args))


def test_the_line_that_builds_the_image_is_exact(tmp_path: Path) -> None:
    """Where a deploy cannot build it: the Dockerfile is not there, and an argument is a secret."""
    (tmp_path / "deploy").mkdir()
    build = {"context": "..", "dockerfile": "docker/web.Dockerfile", "args": {"MODE": "live it", "TOKEN": "geheim"}}
    (tmp_path / "deploy/compose.yaml").write_text(services(web={"build": build, "ports": ["3000:3000"]}))
    draft = from_compose([tmp_path / "deploy/compose.yaml"], tmp_path, {})
    line = "docker build -t deploy-web:latest -f docker/web.Dockerfile --build-arg 'MODE=live it' --build-arg TOKEN ."
    file = "docker/web.Dockerfile"
    assert (
        draft.todos[0].what == f"build it: {line}, with TOKEN exported as the Compose file has it, once {file} is there"
    )
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


def test_a_healthcheck_at_another_port_is_asked_there(tmp_path: Path) -> None:
    """Many have one of their own for it."""
    carried = one(tmp_path, "healthcheck: {test: curl -f http://localhost:8081/actuator/health}")
    assert (carried.service().health.port, carried.service().port) == (8081, 80)
    assert (carried.left, carried.draft.todos) == ([], [])


@pytest.mark.parametrize(
    ("check", "why"),
    [
        ("", "Compose had no check"),
        ("healthcheck: {disable: true}", "Compose's check was switched off"),
        ('healthcheck: {test: ["NONE"]}', "Compose's check was switched off"),
        ("healthcheck: {interval: 5s}", "Compose left it to the image"),
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
    """What lasts comes along; what belongs into the image and what is not given is told."""
    (tmp_path / "up").mkdir()
    carried = one(
        tmp_path,
        "volumes: ['data:/app/data', './app.conf:/etc/app.conf:ro', '/var/run/docker.sock:/var/run/docker.sock',"
        " './up:/up:ro', './media:/media', '.:/app', '/app/node_modules', {type: tmpfs, target: /tmp}]",
    )
    kept = [(one.source, one.target) for one in carried.service().volumes]
    assert kept == [("data", "/app/data"), ("./media", "/media")]
    assert carried.draft.folders == [tmp_path / "media"]
    assert carried.why("volume ./up:/up:ro") == "copy ./up into the image, at /up"
    assert carried.why("volume ./app.conf:/etc/app.conf:ro") == (
        "copy app.conf into the image, at /etc/app.conf; ./app.conf does not exist"
    )
    assert carried.why("volume /var/run/docker.sock:/var/run/docker.sock").startswith("the socket is not given")
    assert carried.why("volume .:/app").startswith("the image brings what is in /app")
    assert carried.why("volume /app/node_modules").startswith("the image brings /app/node_modules")
    assert carried.service().tmpfs == ("/tmp",)
    ours = "$(docker volume ls -q --filter label=crossfade.app=shop --filter label=crossfade.volume=data)"
    assert carried.todo("services.web.volumes") == (
        "bring along what Compose's volume data holds: it begins empty here; after a deploy: "
        f"`docker run --rm -v shop_data:/from:ro -v {ours}:/to busybox cp -a /from/. /to`"
    )


def test_files_of_secrets_and_configs_are_read_where_compose_has_them(tmp_path: Path) -> None:
    """A file that is there is a volume that is only read; one that is not is to be written first."""
    (tmp_path / "token.txt").write_text("t")
    text = services(web={"image": "x:1", "ports": ["80:80"], "secrets": ["token", "other"]})
    whole = json.loads(text) | {"secrets": {"token": {"file": "token.txt"}, "other": {"file": "other.txt"}}}
    carried = Composed(tmp_path, json.dumps(whole))
    [volume] = carried.service().volumes
    assert (volume.source, volume.target, volume.read_only) == ("./token.txt", "/run/secrets/token", True)
    assert carried.todo("services.web.volumes").startswith("write other.txt, then add other.txt:/run/secrets/other:ro")


def test_a_file_for_an_image_that_nobody_builds_is_mounted(tmp_path: Path) -> None:
    """There is no Dockerfile that could copy it; where there is one it belongs into the image."""
    (tmp_path / "app.yml").write_text("a: 1")
    mounted = {"ports": ["80:80"], "volumes": ["./app.yml:/etc/app.yml"]}
    carried = Composed(tmp_path, services(web={"image": "x:1", **mounted}))
    assert [(one.source, one.read_only) for one in carried.service().volumes] == [("./app.yml", True)]
    (tmp_path / "Dockerfile").write_text("FROM x:1\n")
    built = Composed(tmp_path, services(web={"build": ".", **mounted}))
    assert built.service().volumes == ()
    assert "copy app.yml into the image" in built.todo("services.web.image")


def test_variables_of_containers_may_have_dots(tmp_path: Path) -> None:
    """As Elasticsearch wants them; a shell hands none on to a process."""
    carried = one(tmp_path, "environment: {discovery.type: single-node}")
    assert carried.service().env["discovery.type"] == "single-node"


def test_an_image_that_another_service_builds_is_built_for_this_one_too(tmp_path: Path) -> None:
    """Compose builds a name once for all who run it; a registry has never heard of it."""
    build = {"context": ".", "target": "prod"}
    text = services(
        app={"image": "acme/crm:latest", "build": build, "ports": ["80:80"]},
        queue={"image": "acme/crm:latest", "command": "celery worker"},
        setup={"build": {**build, "args": {"X": "1"}}, "command": "rails db:migrate", "restart": "no"},
    )
    carried = Composed(tmp_path, text, {"Dockerfile": "FROM scratch AS prod\n"})
    assert carried.service("queue").image == carried.service("app").image == Image(build=Build(target="prod"))
    assert carried.service("app").hooks.migrate == "rails db:migrate"


def test_a_debuggers_port_alone_may_be_a_page(tmp_path: Path) -> None:
    """n8n has Python's; beside another port it is the debugger's."""
    text = services(
        n8n={"image": "n8nio/n8n:1", "ports": ["5678:5678"]}, api={"image": "a:1", "ports": ["5678:5678", "8000:8000"]}
    )
    carried = Composed(tmp_path, text)
    assert (carried.service("n8n").port, carried.service("api").port) == (5678, 8000)


def test_one_port_at_any_of_several_is_a_port(tmp_path: Path) -> None:
    """The first of the machine's will do; a service in replicated mode is one as any other."""
    carried = one(tmp_path, "deploy: {mode: replicated}")
    assert not carried.left
    text = "services: {web: {image: 'a:1', ports: ['8090-8095:80']}}\n"
    carried = Composed(tmp_path, text)
    assert (carried.service().port, carried.app.listen.http) == (80, 8090)


def test_paths_at_home_are_found_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder, a file of variables, a secret and a build, as Compose finds them."""
    home = tmp_path / "home"
    for folder in ("data", "image"):
        (home / folder).mkdir(parents=True)
    for name, text in {"web.env": "A=1\n", "token": "x", "image/Dockerfile": "FROM scratch\n"}.items():
        (home / name).write_text(text)
    monkeypatch.setenv("HOME", str(home))
    web = {
        "build": "~/image",
        "ports": ["80:80"],
        "volumes": ["~/data:/data"],
        "env_file": "~/web.env",
        "secrets": ["token"],
    }
    carried = Composed(tmp_path, json.dumps({"services": {"web": web}, "secrets": {"token": {"file": "~/token"}}}))
    service = carried.service()
    assert service.image is not None
    assert service.image.build is not None
    assert (service.image.build.context, [one.path for one in service.env_file]) == ("~/image", ["~/web.env"])
    assert [(one.source, one.target) for one in service.volumes] == [
        ("~/data", "/data"),
        ("~/token", "/run/secrets/token"),
    ]


def test_folders_in_memory_keep_their_options(tmp_path: Path) -> None:
    """As Docker has them, in capitals too: a container whose files are read-only has no other place to write to."""
    carried = one(tmp_path, "read_only: true", "tmpfs: ['/run:size=16M,mode=1750,exec', /tmp]")
    assert carried.service().tmpfs == ("/run:size=16M,mode=1750,exec", "/tmp")
    assert not carried.left
