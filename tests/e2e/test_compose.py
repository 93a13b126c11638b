"""Ten public Compose files become running apps: `init --from`, what the list says, `deploy`.

Their images are made here, from a busybox that answers every request and every question about its health.
"""

import os
import re
import secrets
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from benchmarks.compose import Project, corpus
from tests.contract.runtime_kits import docker_is_missing
from tests.e2e.shell import Machine, machine
from tests.support.debian_images import Contents, make

pytestmark = [pytest.mark.slow, pytest.mark.long]

CHOSEN = {
    "00014216/taskFlow docker-compose.yml",
    "00kaito/formgen docker-compose.prod.yml",
    "docker/awesome-compose flask-redis/compose.yaml",
    "docker/awesome-compose nginx-golang-postgres/compose.yaml",
    "docker/awesome-compose react-express-mysql/compose.yaml",
    "docker/awesome-compose traefik-golang/compose.yaml",
    "healthchecks/healthchecks docker/docker-compose.yml",
    "maybe-finance/maybe compose.example.yml",
    "testdrivenio/fastapi-celery docker-compose.yml",
    "umami-software/umami docker-compose.yml",
}
SERVE = """\
#!/bin/sh
trap 'kill $!; exit 0' TERM
nc -ll -p "${PORT:-9}" -e /answer &
wait
"""
ANSWER = """\
#!/bin/sh
while read -r line && [ "${#line}" -gt 1 ]; do :; done
printf 'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok'
"""
ASKED = ("pg_isready", "psql", "mysqladmin", "mariadb-admin", "redis-cli", "valkey-cli", "mongosh", "curl")


@pytest.fixture(scope="module")
def images() -> Iterator[str]:
    """What every name of an image begins with; all of them go in the end."""
    if why := docker_is_missing():
        pytest.skip(why)
    import docker

    prefix = f"corpus-{secrets.token_hex(3)}"
    texts = {"serve": SERVE, "answer": ANSWER, **{f"bin/{name}": "#!/bin/sh\nexit 0\n" for name in ASKED}}
    contents = Contents(trees=(), texts=texts, applets=("sh", "nc", "kill", "printf", "sleep", "wget"))
    make(f"{prefix}/base", "1", contents, ['ENTRYPOINT ["/serve"]'])
    yield prefix
    client = docker.from_env()
    for image in client.images.list():
        for tag in image.tags:
            if tag.startswith(f"{prefix}/"):
                client.images.remove(tag, force=True)
    client.close()


@pytest.fixture
def app() -> Iterator[Machine]:
    import docker

    with machine() as made:
        yield made
        made.run("down", "--all", "--force", limit=120)
        client = docker.from_env()
        mark = {"label": f"crossfade.state={made.state.resolve()}"}
        for volume in client.volumes.list(filters=mark):
            volume.remove(force=True)
        client.close()


def chosen() -> list[Project]:
    return [project for project in corpus() if project.name in CHOSEN]


def test_the_chosen_are_in_the_corpus() -> None:
    """Ten of them."""
    assert {project.name for project in chosen()} == CHOSEN
    assert len(CHOSEN) == 10


@pytest.mark.parametrize("project", chosen(), ids=lambda project: project.name.replace("/", "-"))
def test_a_public_compose_file_becomes_a_running_app(project: Project, images: str, app: Machine) -> None:
    """The list names what is missing, and with that done every service and store of it runs and visitors are served."""
    app.source.mkdir()
    paths = project.lay_out(app.source)
    for path in project.files:
        with_our_images(app.source / path, images)
    file = paths[0].parent / "crossfade.yaml"
    named = [word for path in paths for word in ("--from", str(path))]
    written = app.ok("init", "-f", str(file), *named)
    assert not [one for one in written["todo"] if "assumed" not in one["what"] and not allowed(one)]
    text = re.sub(
        r"^listen: .*$", f"listen: {{http: {app.port}, host: 127.0.0.1}}", file.read_text(), flags=re.MULTILINE
    )
    file.write_text(text)
    data = yaml.safe_load(text)
    wanted = {
        name
        for part in [*data["services"].values(), *data.get("stores", {}).values()]
        for name in part.get("secrets", ())
    }
    values = dict.fromkeys([*wanted, *re.findall(r"(?<!\$)\$\{(\w+)", text)], "text")
    deployed = app.run("deploy", "-f", str(file), "--json", env=values, limit=300)
    assert deployed.code == 0, deployed.err + deployed.out[-2000:]
    status = app.ok("status", "-f", str(file))
    assert {one["name"] for one in status["services"]} == set(data["services"])
    assert all(one["instances"] for one in status["services"])
    assert {one["state"] for service in status["services"] for one in service["instances"]} <= {"healthy", "running"}
    with urllib.request.urlopen(f"{app.url}{front(data)}", timeout=30) as answer:
        assert answer.read() == b"ok"


def allowed(todo: dict[str, str]) -> bool:
    """What a team does anyway: images, secrets, settings, data that was there before."""
    key = todo["where"].split(", ")[0].rpartition(".")[2]
    told = todo["what"].startswith(
        ("build it", "bring along", "write a tag", "write hooks", "see that", "it was not", "copy ", "export ")
    )
    return told or key in {"secrets", "env_file", "routes", "image"}


def front(data: dict[str, dict[str, dict[str, list[dict[str, str]]]]]) -> str:
    """A path that one of the services answers: / where one has no routes."""
    routes = [service.get("routes") for service in data["services"].values() if "port" in service]
    return "/" if None in routes or not routes else str((routes[0] or [{}])[0].get("path", "/")).replace("*", "")


def with_our_images(path: Path, prefix: str) -> None:
    """The same with our images: in place of a name one that ends like it, in a Dockerfile one and the same base."""
    text = path.read_text()
    if path.suffix in {".yml", ".yaml"}:
        path.write_text(re.sub(r"(?m)^( +image: )(\S+)$", lambda match: match[1] + ours(match[2], prefix), text))
    elif "Dockerfile" in path.name:
        lines = [re.sub(r"(?i)^(FROM )(?:--\S+ )*\S+", rf"\g<1>{prefix}/base:1", line) for line in text.splitlines()]
        kept = [line for line in lines if re.match(r"(?i)(FROM|EXPOSE|ENV)\b", line)]
        stages = {match[1].lower() for line in kept if (match := re.search(r"(?i) AS (\S+)", line))}
        assert stages is not None
        path.write_text("\n".join(kept) + "\n")


def ours(image: str, prefix: str) -> str:
    import docker

    name, _, tag = os.path.basename(image).partition(":")  # noqa: PTH119  an image's name is no path
    client = docker.from_env()
    client.images.get(f"{prefix}/base:1").tag(f"{prefix}/{name}", tag or "latest")
    client.close()
    return f"{prefix}/{name}:{tag or 'latest'}"
