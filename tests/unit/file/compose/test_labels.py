"""What labels and variables tell a proxy about a service."""

from pathlib import Path

import pytest
from tests.unit.file.compose.composed import Composed, services

IMAGE = {"image": "acme/web:1"}
WEB = {**IMAGE, "ports": ["80:80"]}
PORT = "traefik.http.services.w.loadbalancer.server.port"
CHECK = "traefik.http.services.w.loadbalancer.healthcheck"


def labelled(folder: Path, labels: dict[str, str], **more: object) -> Composed:
    return Composed(folder, services(web={**IMAGE, "labels": labels, **more}))


def routes(carried: Composed) -> list[str]:
    return [f"{route.host or ''} {route.path}" for route in carried.service().routes or ()]


def test_a_check_of_traefiks_is_ours(tmp_path: Path) -> None:
    """Nothing is assumed then: it says path, pace and codes."""
    labels = {PORT: "4000", f"{CHECK}.path": "/up", f"{CHECK}.interval": "10", f"{CHECK}.timeout": "3s"}
    carried = labelled(tmp_path, {**labels, f"{CHECK}.hostname": "a.example.com", f"{CHECK}.port": "4001"})
    health = carried.service().health
    assert (health.path, health.host, health.port) == ("/up", "a.example.com", 4001)
    assert (health.interval, health.timeout, str(health.codes)) == (10.0, 3.0, "200-399")
    assert not carried.todo("services.web.health")
    assert not carried.left


def test_the_check_of_the_service_itself_goes_first(tmp_path: Path) -> None:
    """Traefik's only said when it sent requests there."""
    labels = {PORT: "4000", f"{CHECK}.path": "/up"}
    carried = labelled(tmp_path, labels, healthcheck={"test": "curl -f localhost:4000/ready"})
    assert carried.service().health.path == "/ready"


def test_traefiks_first_labels_are_routes_too(tmp_path: Path) -> None:
    """Those of its first version, with the segments that it had."""
    labels = {"traefik.api.frontend.rule": "Host:a.example.com,b.example.com;PathPrefix:/v1", "traefik.api.port": "81"}
    carried = labelled(tmp_path, labels)
    assert routes(carried) == ["a.example.com /v1/*", "b.example.com /v1/*"]
    assert carried.service().port == 81


@pytest.mark.parametrize(
    ("labels", "path"),
    [
        ({"caddy.handle_path": "/docs/*", "caddy.handle_path.0_reverse_proxy": "{{upstreams 81}}"}, "/docs/*"),
        ({"caddy.handle": "/docs/*", "caddy.handle.reverse_proxy": "{{upstreams 81}}"}, "/docs/*"),
        ({"caddy.reverse_proxy": "/docs/* {{upstreams http 81}}"}, "/docs/*"),
        ({"caddy.reverse_proxy": "{{upstreams 81}}"}, "/*"),
    ],
)
def test_caddys_labels_say_which_paths(tmp_path: Path, labels: dict[str, str], path: str) -> None:
    """In whichever of their forms; the service has no other sign that it answers."""
    carried = labelled(tmp_path, {"caddy": "app.example.com", **labels})
    assert (routes(carried), carried.service().port) == ([f"app.example.com {path}"], 81)


def test_a_path_that_nginx_proxy_cut_is_a_thing_to_do(tmp_path: Path) -> None:
    """The service gets whole paths."""
    variables = {"VIRTUAL_HOST": "a.example.com", "VIRTUAL_PATH": "/v2/", "VIRTUAL_DEST": "/", "VIRTUAL_PORT": "80"}
    carried = Composed(tmp_path, services(web={**IMAGE, "environment": variables}))
    assert "/v2/ was cut off before web saw a request" in carried.todo("services")


def test_many_ports_of_nginx_proxy_are_one_and_things_to_do(tmp_path: Path) -> None:
    """The first of them is the service's."""
    hosts = "a.example.com: {/: {port: 7000}}\nb.example.com: {/x: {port: 7001}}\n"
    carried = Composed(tmp_path, services(web={**IMAGE, "environment": {"VIRTUAL_HOST_MULTIPORTS": hosts}}))
    assert (routes(carried), carried.service().port) == (["a.example.com /*"], 7000)
    assert "b.example.com/x went to port 7001 of web" in carried.todo("services")


def test_a_proxy_elsewhere_is_told_where_to_send_visitors_though_its_rule_is_not_taken(tmp_path: Path) -> None:
    """A rule with what has no counterpart leaves no route."""
    carried = labelled(tmp_path, {"traefik.http.routers.w.rule": "Host(`a.b`) && Method(`GET`)", PORT: "80"})
    assert "have the proxy whose labels these were send visitors to port 8080" in carried.todo("listen")


def test_a_second_port_of_a_service_is_a_thing_to_do(tmp_path: Path) -> None:
    """A router names the one that it means; the first has the service."""
    labels = {
        "traefik.http.routers.a.rule": "Host(`a.example.com`)",
        "traefik.http.routers.a.service": "main",
        "traefik.http.services.main.loadbalancer.server.port": "3000",
        "traefik.http.routers.b.rule": "Host(`b.example.com`)",
        "traefik.http.routers.b.service": "admin@docker",
        "traefik.http.services.admin.loadbalancer.server.port": "3001",
    }
    carried = labelled(tmp_path, labels)
    assert (routes(carried), carried.service().port) == (["a.example.com /*"], 3000)
    assert "the rule Host(`b.example.com`) went to port 3001 of web" in carried.todo("services")


def test_labels_that_are_switched_off_say_nothing(tmp_path: Path) -> None:
    """Traefik does not read them either."""
    labels = {"traefik.enable": "false", "traefik.http.routers.w.rule": "Host(`a.b`)", PORT: "81"}
    carried = Composed(tmp_path, services(web={**IMAGE, "labels": labels}, other={**IMAGE, "expose": ["80"]}))
    assert carried.kinds()["web"] == "worker"


def test_what_a_proxys_own_files_did_for_a_router_is_a_thing_to_do(tmp_path: Path) -> None:
    """And that it asked by HTTPS."""
    rule = "traefik.http.routers.w"
    labels = {f"{rule}.rule": "Host(`a.b`)", f"{rule}.middlewares": "cut@docker,auth@file", PORT: "80"}
    carried = labelled(tmp_path, {**labels, PORT.replace(".port", ".scheme"): "https"})
    assert "the middleware auth@file of web" in carried.todo("services")
    assert "it was asked by HTTPS" in carried.todo("services.web")


def test_a_site_of_caddys_labels_is_known_by_its_host(tmp_path: Path) -> None:
    """Whatever its address has beside it; without the host everybody's requests would have come."""
    labels = {"caddy": "http://A.example.com:8080, b.example.com/x", "caddy.reverse_proxy": "{{upstreams 4000}}"}
    assert routes(labelled(tmp_path, labels)) == ["a.example.com /*", "b.example.com /*"]


@pytest.mark.parametrize("wrong", ["a: {", "[" * 5000, "a.example.com"])
def test_hosts_of_many_ports_that_cannot_be_read_are_told(tmp_path: Path, wrong: str) -> None:
    """The rest of the file is carried over all the same."""
    carried = Composed(tmp_path, services(web={**WEB, "environment": {"VIRTUAL_HOST_MULTIPORTS": wrong}}))
    assert carried.service().port == 80
    assert "VIRTUAL_HOST_MULTIPORTS of web, which is not a YAML mapping" in carried.todo("services")


def test_hosts_of_many_ports_are_text_whatever_they_look_like(tmp_path: Path) -> None:
    """A date that no month has is one to YAML, and cannot be read as one."""
    carried = Composed(tmp_path, services(web={**WEB, "environment": {"VIRTUAL_HOST_MULTIPORTS": "2024-13-45: {}"}}))
    assert carried.service().port == 80
    assert not carried.todo("services")


def test_a_host_of_which_nothing_is_known_is_not_every_host(tmp_path: Path) -> None:
    """What only adminer.$DOMAIN led to is not shown to everybody: the host is told, and the variable that it lacks."""
    labels = {"traefik.http.routers.a.rule": "Host(`adminer.${DOMAIN:?say which}`)"}
    adminer = {"image": "adminer:4", "labels": {**labels, "traefik.http.services.a.loadbalancer.server.port": "8080"}}
    web = {"image": "acme/web:1", "ports": ["80:80"]}
    carried = Composed(tmp_path, services(adminer=adminer, web=web))
    assert {route.path for route in carried.service("adminer").routes or ()} == {"/adminer/*"}
    assert "requests to the host adminer. went to adminer" in carried.todo("services")
    assert "write DOMAIN to .env, and import again" in carried.todo("services.adminer")
