"""A Compose project is read as Compose reads it."""

import re
from pathlib import Path

import pytest
from tests.unit.file.compose.composed import Composed, one, services

from crossfade.core.errors import WrongInputError
from crossfade.file.init.compose.carry import from_compose
from crossfade.file.parts.image import Image

WEB = {"image": "acme/web:1", "ports": ["3000:3000"]}


def test_a_file_that_compose_would_lay_over_is_told(tmp_path: Path) -> None:
    """Whoever names the usual one leaves it out, and may not know."""
    overlay = {"compose.override.yaml": "services: {web: {build: .}}\n"}
    carried = one(tmp_path, files=overlay)
    assert carried.why("compose.override.yaml").startswith("Compose reads it where no file is named")
    assert carried.service().image.name == "x:1"


def test_defaults_inside_each_other_are_filled_in(tmp_path: Path) -> None:
    """As Compose has them, and never half of one."""
    url = "${PUBLIC_URL:-https://${HOST_NAME:-localhost}:${PORT_S:-443}/x}"
    assert one(tmp_path, f"environment: {{URL: '{url}'}}").service().env == {"URL": "https://localhost:443/x"}


def test_every_value_may_hold_a_variable(tmp_path: Path) -> None:
    """Limits, replicas and retries as well as images."""
    web = one(
        tmp_path,
        "mem_limit: ${MEM:-512m}",
        "scale: ${N:-3}",
        'cpus: "${CPU:-0.5}"',
        'healthcheck: {test: curl -f http://localhost/up, retries: "${R:-5}"}',
        'deploy: {update_config: {parallelism: "${P:-1}", order: start-first, failure_action: rollback}}',
    )
    service = web.service()
    assert (service.resources.memory, service.resources.cpu, service.replicas) == (512 << 20, 0.5, 3)
    assert (service.health.unhealthy, service.deploy.max_surge) == (5, 33)
    assert web.left == []


@pytest.mark.parametrize("lines", ["cpus: 0", "mem_limit: 0", "deploy: {resources: {limits: {cpus: '0'}}}"])
def test_a_limit_of_nothing_is_no_limit(tmp_path: Path, lines: str) -> None:
    """In Compose, and so here."""
    carried = one(tmp_path, lines)
    assert (carried.service().resources.cpu, carried.service().resources.memory) == (None, None)
    assert carried.left == []


def test_dotenv_beside_it_is_read(tmp_path: Path) -> None:
    """For what is filled in, and the shell wins."""
    text = services(web={"image": "acme/web:${TAG}", "ports": ["${WEB_PORT}:8000"], "environment": {"L": "${LEVEL}"}})
    files = {".env": "TAG=2\nWEB_PORT=9000\nLEVEL=info\n"}
    carried = Composed(tmp_path, text, files, {"LEVEL": "debug"})
    assert (carried.service().image, carried.app.listen.http) == (Image(name="acme/web:2"), 9000)
    assert carried.service().env == {"L": "debug"}
    assert carried.draft.read == (str(tmp_path / "compose.yaml"), str(tmp_path / ".env"))


def test_an_overlay_is_laid_over_its_base_by_composes_rules(tmp_path: Path) -> None:
    """Mappings by key, lists joined, commands replaced, mounts by their target."""
    base = services(
        web={
            **WEB,
            "command": ["dev"],
            "environment": ["A=1", "B=1"],
            "volumes": ["a:/data"],
            "build": ".",
            "depends_on": ["api"],
        },
        api={"image": "acme/api:1", "expose": ["1"]},
    )
    over = services(
        web={
            "image": "acme/web:2",
            "command": ["prod"],
            "environment": {"B": "2"},
            "volumes": ["./b:/data:ro"],
            "build": {"target": "prod"},
            "ports": ["9229:9229"],
        }
    )
    carried = Composed(tmp_path, base, {"over.yaml": over})
    web = carried.service()
    assert (web.image, web.command, web.env, web.depends_on) == (
        Image(name="acme/web:2"),
        "prod",
        {"A": "1", "B": "2"},
        ("api",),
    )
    assert carried.why("volume ./b:/data:ro") == "copy ./b into the image, at /data; ./b does not exist"
    assert "--target prod ." in carried.todo("services.web.image")
    assert carried.why("port 9229:9229") == "it speaks the Node debugger, not HTTP"


def test_reset_and_override_take_back(tmp_path: Path) -> None:
    """`!reset` removes, `!override` does not merge."""
    base = services(web={**WEB, "environment": {"A": "1"}, "scale": 3})
    lines = ["scale: !reset null", "ports: !override ['8000:80']", "environment: !override {B: '2'}"]
    over = "services:\n  web:\n" + "".join(f"    {line}\n" for line in lines)
    carried = Composed(tmp_path, base, {"over.yaml": over})
    assert (carried.service().replicas, carried.service().port, carried.service().env) == (1, 80, {"B": "2"})


def test_a_service_extends_another(tmp_path: Path) -> None:
    """Of the same file or of another one, whose paths are relative to itself."""
    carried = Composed(
        tmp_path,
        services(
            web={"extends": {"service": "base"}, "ports": ["80:80"]},
            base={"image": "acme/web:1", "environment": {"A": "1"}, "expose": ["2"]},
            api={"extends": {"file": "common/base.yaml", "service": "api"}, "expose": ["1"]},
        ),
        {"common/base.yaml": services(api={"build": "./src", "image": "acme/api:1"})},
    )
    assert (carried.service().image, carried.service().env) == (Image(name="acme/web:1"), {"A": "1"})
    assert (
        carried.todo("services.api.image")
        == "build it: docker build -t acme/api:1 common/src, once common/src is there"
    )


def test_an_included_file_is_part_of_it(tmp_path: Path) -> None:
    """With its services."""
    text = "include: [more/compose.yaml]\nservices: {web: {image: 'x:1', ports: ['80:80']}}\n"
    carried = Composed(tmp_path, text, {"more/compose.yaml": services(api={"image": "y:1", "expose": ["1"]})})
    assert set(carried.app.services) == {"web", "api"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            services(web={"ports": ["80:80"]}, db={"ports": ["1:1"]}),
            r"compose\.yaml:1:\d+: services\.web: neither image nor build, so this is an overlay; .*--from BASE",
        ),
        ("services: [web]\n", r"compose\.yaml:1:1: services: found a list; allowed: a mapping such as services: "),
        ("services: {web: null}\n", r"services\.web: found no value; allowed: a mapping such as web"),
        ("services: {web: {image: 'x:${'}}\n", r'compose\.yaml:1:18: services\.web\.image: found "x:\$\{"; allowed: '),
        (
            "services: {web: {image: 'x:${TAG:?say which}', ports: [80]}}\n",
            r"services\.web\.image: found .*TAG is not set \(say which\); allowed: TAG in \.env or in this shell",
        ),
        (
            "services: {web: {extends: {service: none}}}\n",
            r'found "none", which is not a service of .*; allowed: one of web',
        ),
        (
            "services: {web: {extends: {file: no.yaml, service: a}}}\n",
            r'compose\.yaml:1:28: services\.web\.extends\.file: found "no\.yaml", which does not exist; allowed: an e',
        ),
        ("include: a.yaml\nservices: {}\n", r'yaml:1:1: include: found "a\.yaml"; allowed: a list of files, or of'),
        ("include: [{env_file: x}]\nservices: {}\n", r"yaml:1:11: include\.0: found a mapping; allowed: a list of fi"),
        (
            "include: ['oci://example.com/x']\nservices: {}\n",
            r'include\.0: found "oci://example\.com/x", which is not on this machine; allowed: a file of this machine',
        ),
        (
            "services: {web: {image: x, depends_on: [api, db]}, db: {image: y}}\n",
            r'compose\.yaml:1:41: services\.web\.depends_on\.0: found "api", which is not a service .*: one of db',
        ),
        (
            "services: {web: {image: x, depends_on: [api]}, api: {image: y, depends_on: {web: }}}\n",
            r"depends_on\S*: found a circle: (web -> api -> web|api -> web -> api); allowed: services that wait for",
        ),
        ("services: {web: {image: x, links: ['db:d']}}\n", r"services\.web\.links\.0: found \"db\", .*: one of none"),
        (
            "services: {web: {image: x, network_mode: 'service:vpn'}, db: {image: y}}\n",
            r'services\.web\.network_mode: found "vpn", which is not a service of the file; allowed: one of db',
        ),
        (
            "services: {web: {image: x, volumes_from: [files]}}\n",
            r'volumes_from\.0: found "files", which is not a service',
        ),
        (
            "services: {web: {image: x, depends_on: {db: 5}}, db: {image: y}}\n",
            r"depends_on\.db: found 5; allowed: a mapping such as \{condition: service_healthy\}",
        ),
        (
            "services: {web: {image: x, depends_on: {db: {condition: healthy}}}, db: {image: y}}\n",
            r'depends_on\.db: found the condition "healthy"; allowed: one of service_started, service_healthy, ',
        ),
        ('services: {web: {build: "a\\0"}}\n', r"services\.web\.build: found a NUL character; allowed: text"),
        ("services: {web: {extends: web, image: x}}\n", "services that extend each other"),
    ],
)
def test_what_compose_refuses_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    """File, line, key, what was found, what is allowed."""
    (tmp_path / "compose.yaml").write_text(text)
    with pytest.raises(WrongInputError) as error:
        from_compose([tmp_path / "compose.yaml"], tmp_path, {})
    assert re.search(said, str(error.value))


def test_an_overlay_names_the_base_that_stands_beside_it(tmp_path: Path) -> None:
    """The command to type instead."""
    (tmp_path / "compose.yaml").write_text(services(web=WEB))
    (tmp_path / "compose.prod.yaml").write_text(services(web={"environment": {"A": "1"}}))
    with pytest.raises(WrongInputError, match=r"--from \S*/compose\.yaml --from \S*/compose\.prod\.yaml"):
        from_compose([tmp_path / "compose.prod.yaml"], tmp_path, {})


def test_an_env_file_that_is_not_there_is_the_first_thing_to_do(tmp_path: Path) -> None:
    """With its line, and the example to copy; one that need not be there is only mentioned."""
    carried = one(
        tmp_path, "env_file: [.env.prod, {path: none.env, required: false}]", files={".env.prod.example": "A=1\n"}
    )
    what = "copy .env.prod.example to .env.prod and fill it in"
    assert carried.why("env_file .env.prod") == f"found no such file; allowed: an existing file: {what}"
    assert carried.draft.todos[0].what.startswith(what)
    assert carried.why("env_file none.env") == "it does not exist and need not"


def test_each_key_of_another_type_is_named_at_once(tmp_path: Path) -> None:
    """As Compose refuses it: nothing is guessed from a list where a name is meant."""
    (tmp_path / "compose.yaml").write_text(
        "services:\n"
        "  web: {image: [a], ports: 80, environment: x, volumes: data}\n"
        "  api: {build: 3, healthcheck: x, depends_on: web}\n"
        "volumes: [data]\n"
    )
    with pytest.raises(WrongInputError) as told:
        from_compose([tmp_path / "compose.yaml"], tmp_path, {})
    assert re.findall(r"compose.yaml:(\d+):\d+: (\S+): found", str(told.value)) == [
        ("2", "services.web.image"),
        ("2", "services.web.ports"),
        ("2", "services.web.environment"),
        ("2", "services.web.volumes"),
        ("3", "services.api.build"),
        ("3", "services.api.healthcheck"),
        ("3", "services.api.depends_on"),
        ("4", "volumes"),
    ]
    assert 'found 80; allowed: a list such as ["8080:80"]' in str(told.value)


def test_an_included_file_has_its_own_folder_and_variables(tmp_path: Path) -> None:
    """Its paths begin where it is, or where `project_directory` says; the project's own variables go before its."""
    text = "include: [a/compose.yaml, {path: b/compose.yaml, project_directory: c, env_file: b.env}]\n"
    files = {
        "a/compose.yaml": "services: {one: {image: 'one:${A}', ports: ['80:80'], volumes: ['./data:/data']}}\n",
        "a/.env": "A=7\nB=of-a\n",
        "b/compose.yaml": "services: {two: {image: 'two:${B}', ports: ['81:80'], volumes: ['./data:/data']}}\n",
        "b.env": "B=8\n",
        ".env": "B=9\n",
        "a/data/x": "",
        "c/data/x": "",
    }
    carried = Composed(tmp_path, text + "services: {}\n", files)
    assert [carried.service(name).image for name in ("one", "two")] == [Image(name="one:7"), Image(name="two:9")]
    assert "./a/data:/data" in carried.text
    assert "./c/data:/data" in carried.text


def test_each_included_file_that_is_not_there_is_named_where_it_is_asked_for(tmp_path: Path) -> None:
    """All at once, those of one entry and those of an included file among them."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more/compose.yaml").write_text("include:\n  - path: [one.yaml, two.yaml]\n    env_file: x.env\n")
    text = "services: {}\ninclude:\n  - gone.yaml\n  - more/compose.yaml\n"
    (tmp_path / "compose.yaml").write_text(text)
    with pytest.raises(WrongInputError) as told:
        from_compose([tmp_path / "compose.yaml"], tmp_path, {})
    lines = re.findall(
        r"(\S+yaml:\d+:\d+: \S+): found (\S+), which does not exist; allowed: .* to (\S+)", str(told.value)
    )
    assert {(where.removeprefix(f"{tmp_path}/"), found, whence) for where, found, whence in lines} == {
        ("more/compose.yaml:2:12: include.0.path.0", '"one.yaml"', f"{tmp_path}/more"),
        ("more/compose.yaml:2:22: include.0.path.1", '"two.yaml"', f"{tmp_path}/more"),
        ("more/compose.yaml:3:5: include.0.env_file", '"x.env"', f"{tmp_path}/more"),
        ("compose.yaml:3:5: include.0", '"gone.yaml"', str(tmp_path)),
    }


def test_files_that_include_the_next_one_twice_come_to_an_end(tmp_path: Path) -> None:
    """Of twenty the last one would be read half a million times."""
    for n in range(18):
        (tmp_path / f"{n}.yaml").write_text(f"include: [{n + 1}.yaml, ./{n + 1}.yaml]\nservices: {{}}\n")
    (tmp_path / "18.yaml").write_text("services: {}\n")
    with pytest.raises(WrongInputError, match="more than 1000 files"):
        from_compose([tmp_path / "0.yaml"], tmp_path, {})


def test_of_files_that_are_included_together_each_is_laid_over_those_before_it(tmp_path: Path) -> None:
    """And all begin where the first one is."""
    text = "include: [{path: [a/one.yaml, b/two.yaml]}]\nservices: {}\n"
    files = {
        "a/one.yaml": services(web={"image": "x:1", "ports": ["80:80"], "env_file": "a.env"}),
        "b/two.yaml": services(web={"image": "x:2", "env_file": "b.env"}),
        "a/a.env": "A=1",
        "a/b.env": "B=1",
    }
    carried = Composed(tmp_path, text, files)
    assert carried.service().image == Image(name="x:2")
    assert "env_file: [a/a.env, a/b.env]" in carried.text


def test_paths_of_an_overlay_begin_where_the_first_file_is(tmp_path: Path) -> None:
    """As `docker compose -f compose.yaml -f overlays/prod.yaml` reads them; what it extends has its own folder."""
    base = services(web={"image": "x:1", "ports": ["80:80"], "env_file": "a.env"})
    over = services(web={"extends": {"file": "common.yaml", "service": "c"}, "env_file": ["b.env"]})
    common = services(c={"volumes": [{"type": "bind", "source": "./data", "target": "/data"}]})
    files = {"over/prod.yaml": over, "over/common.yaml": common, "over/data/x": "", "a.env": "A=1", "b.env": "B=1"}
    for name, content in {"compose.yaml": base, **files}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    text = from_compose([tmp_path / "compose.yaml", tmp_path / "over/prod.yaml"], tmp_path, {}).text
    assert "env_file: [a.env, b.env]" in text
    assert "volumes: ['./over/data:/data']" in text


def test_files_that_are_not_there_are_told_where_they_are_named(tmp_path: Path) -> None:
    """Each with its line and key: of a build, of secrets and configs, also of an included file."""
    text = """\
include: [more/compose.yaml]
services:
  web: {image: x, ports: [80], configs: [c], secrets: [s, typo]}
  api: {build: ./gone, expose: [1]}
  job: {build: {context: ., dockerfile: no.Dockerfile}, command: celery worker}
  mail: {build: {context: .}, command: celery worker}
configs: {c: {file: c.conf}}
secrets: {s: {environment: S}}
"""
    more = "services: {late: {image: x, expose: [1], secrets: [l]}}\nsecrets: {l: {file: ./l.txt}}\n"
    carried = Composed(tmp_path, text, {"more/compose.yaml": more})
    said = {str(left.where).removeprefix(f"{tmp_path}/"): left.why for left in carried.left}
    wanted = {
        "compose.yaml:7:15: configs.c.file": 'found "c.conf", which does not exist; allowed: an existing file',
        "compose.yaml:3:59: services.web.secrets.1": 'found "typo", which is none of the file\'s secrets; allowed: ',
        "compose.yaml:5:29: services.job.build.dockerfile": 'found "no.Dockerfile", which does not exist; allowed: ',
        "more/compose.yaml:2:15: secrets.l.file": 'found "more/l.txt", which does not exist; allowed: an existing ',
    }
    assert {where: why for where, why in said.items() if where in wanted and why.startswith(wanted[where])}.keys() == (
        wanted.keys()
    )
    assert carried.why("build.context") == 'found "./gone", which does not exist; allowed: an existing folder'
    assert {left.why for left in carried.left if left.what == "build.dockerfile"} >= {
        "found no Dockerfile; allowed: an existing file, relative to ."
    }
    assert "once gone is there" in carried.todo("services.api.image")


def test_where_only_profiles_are_there_they_are_named(tmp_path: Path) -> None:
    """What to type, and not that there is nothing."""
    text = services(web={"image": "x:1", "profiles": ["web"]}, db={"image": "postgres:16", "profiles": ["db", "web"]})
    with pytest.raises(WrongInputError, match=r"COMPOSE_PROFILES=web,db crossfade init --from \S+compose\.yaml"):
        Composed(tmp_path, text)
