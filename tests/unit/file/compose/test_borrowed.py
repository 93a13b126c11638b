"""What a Compose file says in another place: volumes of another service, labels of a file, and words that are wrong."""

from pathlib import Path

import pytest
from tests.unit.file.compose.composed import Composed, one, services

from crossfade.core.errors import WrongInputError
from crossfade.file.init.compose.carry import from_compose

WEB = {"image": "acme/web:1", "ports": ["80:80"]}


def test_volumes_of_another_service_are_mounted(tmp_path: Path) -> None:
    """Those that it takes itself, too; what the service has at a place goes first, and what is only read stays so."""
    text = services(
        web={**WEB, "volumes": ["own:/a"], "volumes_from": ["other:ro"]},
        other={**WEB, "volumes": ["x:/a", "y:/b"], "volumes_from": ["last"]},
        last={**WEB, "volumes": [{"type": "volume", "source": "z", "target": "/c"}]},
    )
    carried = Composed(tmp_path, text)
    mounted = [(volume.source, volume.target, volume.read_only) for volume in carried.service().volumes]
    assert mounted == [("own", "/a", False), ("y", "/b", True), ("z", "/c", True)]
    assert not [left for left in carried.left if "volumes_from" in left.what]


def test_volumes_of_a_container_elsewhere_are_told(tmp_path: Path) -> None:
    """What is in them no file says."""
    carried = one(tmp_path, "volumes_from: ['container:old']")
    assert "have it work without volumes_from" in carried.todo("services.web")


def test_labels_of_a_file_are_labels(tmp_path: Path) -> None:
    """Those of the service itself go before them."""
    labels = "traefik.http.routers.w.rule=Host(`a.example.com`)\ntraefik.http.services.w.loadbalancer.server.port=1\n"
    own = {"traefik.http.services.w.loadbalancer.server.port": "4000"}
    text = services(web={"image": "x:1", "label_file": ["web.labels"], "labels": own})
    carried = Composed(tmp_path, text, {"web.labels": labels})
    assert [route.host for route in carried.service().routes or ()] == ["a.example.com"]
    assert carried.service().port == 4000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "services: {web: {image: x, label_file: gone}}",
            ':1:28: services.web.label_file: found "gone", which does not exist; allowed: an existing file',
        ),
        (
            "services: {web: {image: x, enviroment: {A: b}}}",
            ':1:28: services.web.enviroment: found "enviroment", which is not a Compose key; did you mean environment?',
        ),
        ("services: {web: {image: x, port: [80]}}", "did you mean ports?"),
        ("services: {web: {image: x}}\nservice: {}", ':2:1: service: found "service", which is not a Compose key'),
    ],
)
def test_what_compose_refuses_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """With the place, and with the word that was meant."""
    (tmp_path / "compose.yaml").write_text(text)
    with pytest.raises(WrongInputError) as error:
        from_compose([tmp_path / "compose.yaml"], tmp_path, {})
    assert said in str(error.value)


def test_keys_that_nobody_knows_are_told(tmp_path: Path) -> None:
    """Compose may know them by tomorrow."""
    assert one(tmp_path, "teleport: true").why("teleport true") == "crossfade has no such setting"


def test_a_variable_that_leaves_a_path_empty_is_to_be_set(tmp_path: Path) -> None:
    """First of all; in an environment it may be meant."""
    carried = one(tmp_path, "volumes: ['$HOME_OF_IT/config:/etc/x']")
    assert carried.draft.todos[0].what == (
        "write HOME_OF_IT to .env, and import again: volumes had HOME_OF_IT, which is set nowhere"
    )


def test_a_folder_that_has_to_be_there_is_not_made(tmp_path: Path) -> None:
    """Compose would not either."""
    mount = {"type": "bind", "source": "./data", "target": "/data", "bind": {"create_host_path": False}}
    carried = Composed(tmp_path, services(web={**WEB, "volumes": [mount]}))
    assert not (tmp_path / "data").exists()
    assert "mkdir -p ./data" in carried.todo("services.web.volumes")


def test_an_address_of_this_machine_at_which_a_store_was_is_told(tmp_path: Path) -> None:
    """Nobody listens there any more, unless the store says so."""
    minio = {"image": "minio/minio:1", "ports": ["9000:9000"], "volumes": ["m:/data"]}
    carried = Composed(tmp_path, services(web={**WEB, "environment": {"S3": "http://localhost:9000"}}, minio=minio))
    assert "localhost:9000 was minio: write `port: 9000` there" in carried.todo("services.web.env.S3")


def test_a_mapping_in_a_list_of_variables_is_refused_where_it_stands(tmp_path: Path) -> None:
    """`- NAME: value` is what people type."""
    (tmp_path / "compose.yaml").write_text(
        "services:\n  web:\n    image: x\n    environment:\n      - A=b\n      - C: d\n"
    )
    with pytest.raises(WrongInputError, match=r":6:9: services\.web\.environment\.1: found a mapping; allowed: a mapp"):
        from_compose([tmp_path / "compose.yaml"], tmp_path, {})


def test_what_cannot_be_taken_is_told_where_compose_has_it(tmp_path: Path) -> None:
    """The line of the key, and not of the service."""
    carried = one(
        tmp_path,
        "deploy:",
        "  replicas: many",
        "  resources: {limits: {memory: 5x}}",
        "healthcheck:",
        "  interval: often",
    )
    places = sorted(left.where.partition("compose.yaml:")[2] for left in carried.left if "; allowed" in left.why)
    assert places == [
        "10:7: services.web.healthcheck.interval",
        "7:7: services.web.deploy.replicas",
        "8:28: services.web.deploy.resources.limits.memory",
    ]


def test_volumes_are_called_by_the_projects_name(tmp_path: Path) -> None:
    """That of the environment goes before the one of the file."""
    text = "name: shop\nservices: {web: {image: x:1, ports: [80], volumes: ['data:/data']}}"
    carried = Composed(tmp_path, text, {".env": "COMPOSE_PROJECT_NAME=cool\n"})
    assert "-v cool_data:/from:ro" in carried.todo("services.web.volumes")
    assert carried.app.name == "cool"


def test_a_variable_without_braces_is_one_of_compose(tmp_path: Path) -> None:
    """The file has it with braces, where it would be the shell's otherwise."""
    text = services(web={**WEB, "environment": {"DB_PASSWORD": "$PW"}})
    carried = Composed(tmp_path, text, {".env": "PW=geheim\n"})
    assert carried.service().secrets.sources["DB_PASSWORD"].value == "${PW}"
    assert not carried.todo("services.web.secrets")


def test_two_names_that_are_one_here_are_a_thing_to_do(tmp_path: Path) -> None:
    """The second is not in the file."""
    carried = Composed(tmp_path, services(my_web=WEB, **{"my-web": {**WEB, "ports": ["81:81"]}}))
    assert "write my-web under another name" in carried.todo("services")


def test_a_port_that_the_machine_opens_goes_before_one_that_it_does_not(tmp_path: Path) -> None:
    """Visitors came in there."""
    carried = Composed(tmp_path, services(web={**WEB, "ports": ["3000", "8080:90"]}))
    assert (carried.service().port, carried.app.listen.http) == (90, 8080)


def test_ports_and_mounts_that_are_none_are_refused_all_at_once(tmp_path: Path) -> None:
    """Each where it stands; Compose takes none of them."""
    text = (
        "services:\n  web:\n    image: x\n    ports: ['80:80:80', 70000, '80/sctp', '8000-8001:80']\n"
        "    volumes: [{type: bind, source: ./x}, ':/x']\n"
    )
    (tmp_path / "compose.yaml").write_text(text)
    with pytest.raises(WrongInputError) as error:
        from_compose([tmp_path / "compose.yaml"], tmp_path, {})
    said = [line.partition("compose.yaml:")[2].partition(";")[0] for line in str(error.value).splitlines()[1:5]]
    assert said == [
        '4:13: services.web.ports.0: found "80:80:80"',
        '4:25: services.web.ports.1: found "70000"',
        '5:15: services.web.volumes.0: found "./x:"',
        '5:42: services.web.volumes.1: found ":/x"',
    ]
