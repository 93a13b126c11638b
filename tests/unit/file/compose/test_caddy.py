"""Caddyfiles and files of nginx beside a Compose file: what the proxies did."""

from pathlib import Path

import pytest
from tests.unit.file.compose.composed import Composed, services

API = {"image": "acme/api:1"}
CADDY = {"image": "caddy:2", "ports": ["80:80"], "volumes": ["./Caddyfile:/etc/caddy/Caddyfile", "./site:/srv"]}
NGINX = {"image": "nginx:1", "ports": ["80:80"], "volumes": ["./nginx.conf:/etc/nginx/nginx.conf"]}


def behind_caddy(folder: Path, caddyfile: str, **more: object) -> Composed:
    return Composed(folder, services(caddy={**CADDY, **more}, api=API, ws=API), {"Caddyfile": caddyfile})


def behind_nginx(folder: Path, conf: str) -> Composed:
    return Composed(folder, services(lb=NGINX, api=API, ws=API), {"nginx.conf": conf})


def routes(carried: Composed, name: str = "api") -> list[str]:
    return [f"{route.host or ''} {route.path}" for route in carried.service(name).routes or ()]


def looked_after(carried: Composed) -> str:
    return carried.todo("services")


def test_a_service_that_only_a_proxys_file_names_answers(tmp_path: Path) -> None:
    """Without ports, without depends_on: the file has its port as well."""
    carried = behind_caddy(tmp_path, "a.example.com {\n  reverse_proxy api:8000\n}\n")
    assert (carried.kinds()["api"], carried.kinds()["ws"]) == ("service", "worker")
    assert carried.evidence("api") == "Caddyfile of caddy sends it requests"
    assert (routes(carried), carried.service("api").port) == (["a.example.com /*"], 8000)


HEADERS = "answers got the header X-Frame-Options: DENY; `headers` of a service can"


@pytest.mark.parametrize(
    "said",
    [
        "header X-Frame-Options DENY",
        "header /v1/* +X-Frame-Options DENY",
        "header ?X-Frame-Options DENY",
        'header {\n    -Server\n    X-Frame-Options "DENY"\n  }',
    ],
)
def test_headers_that_caddy_set_are_told(said: str, tmp_path: Path) -> None:
    """They keep pages out of others' frames, and browsers at HTTPS."""
    carried = behind_caddy(tmp_path, f"a.example.com {{\n  {said}\n  reverse_proxy api:8000\n}}\n")
    assert HEADERS in looked_after(carried)
    assert "Server" not in looked_after(carried)
    assert routes(carried) == ["a.example.com /*"]


def test_headers_that_nginx_set_are_told(tmp_path: Path) -> None:
    """Those of answers: what the app is told of a request it is told by the balancer."""
    said = "add_header X-Frame-Options DENY always; proxy_set_header A b"
    conf = f"server {{ location / {{ {said}; proxy_pass http://api:80; }} }}"
    assert HEADERS in looked_after(behind_nginx(tmp_path, conf))
    assert "A: b" not in looked_after(behind_nginx(tmp_path, conf))


@pytest.mark.parametrize(
    "inside",
    [
        "@api path /v1/* /v2/*\n  reverse_proxy @api api:8000",
        "@api {\n    path /v1/* /v2/*\n  }\n  handle @api {\n    reverse_proxy api:8000\n  }",
        "handle /v1/* {\n    reverse_proxy api:8000 {\n      lb_policy x\n    }\n  }\n  reverse_proxy /v2/* api:8000",
        "handle /v1/* {\n    reverse_proxy {\n      to http://api:8000\n    }\n  }\n  reverse_proxy /v2/* api:8000",
    ],
)
def test_matchers_of_a_caddyfile_are_paths(tmp_path: Path, inside: str) -> None:
    """With a name or without, in a line or in a block."""
    carried = behind_caddy(tmp_path, f"{{\n  email a@b.c\n}}\na.example.com {{\n  {inside}\n}}\n")
    assert routes(carried) == ["a.example.com /v1/*", "a.example.com /v2/*"]


def test_variables_of_a_caddyfile_are_those_of_its_service(tmp_path: Path) -> None:
    """With the default that stands beside one."""
    text = "{$SITE:x.example.com}, {$OTHER:b.example.com} {\n  reverse_proxy api:8000\n}\n"
    carried = behind_caddy(tmp_path, text, environment={"SITE": "a.example.com"})
    assert routes(carried) == ["a.example.com /*", "b.example.com /*"]


def test_a_caddyfile_without_braces_is_one_site(tmp_path: Path) -> None:
    """Its first line is the address."""
    assert routes(behind_caddy(tmp_path, "a.example.com\n\nreverse_proxy api:8000\n")) == ["a.example.com /*"]


def test_what_caddy_did_itself_is_a_thing_to_do(tmp_path: Path) -> None:
    """Files that it served, whom it kept out, paths that it cut, ports of a second kind."""
    (tmp_path / "site").mkdir()
    text = (
        "a.example.com {\n  basic_auth {\n    bob hash\n  }\n  root * /srv\n  file_server\n"
        "  handle_path /cut/* {\n    reverse_proxy api:8000 ws:8000\n  }\n}\n"
        "b.example.com {\n  reverse_proxy api:8001\n}\nc.example.com {\n  php_fastcgi ws:9000\n}\n"
    )
    carried = behind_caddy(tmp_path, text)
    said = looked_after(carried)
    assert "keep out whom the proxy's basic_auth kept out" in said
    assert "what nothing else answers was served from the folder ./site" in said
    assert "/cut/* was cut off by Caddy" in said
    assert "requests went by turns to api, ws" in said
    assert "b.example.com/ went to port 8001 of api; a service has one port" in said
    assert "it was asked by fastcgi" in carried.todo("services.ws")
    assert routes(carried) == ["a.example.com /cut/*"]


def test_what_nginx_did_itself_is_a_thing_to_do(tmp_path: Path) -> None:
    """Also where a block stands on one line."""
    conf = (
        "upstream all { server api:8000; server ws:8000; }\n"
        "server { listen 80; server_name a.example.com ~^x; auth_basic x; limit_req zone=a;\n"
        "  location = /ping { return 200 ok; } rewrite ^/a /b;\n"
        "  location / { proxy_pass http://all; } location /b/ { proxy_pass http://api:9000; } }\n"
    )
    carried = behind_nginx(tmp_path, conf)
    said = looked_after(carried)
    assert "keep out whom the proxy's auth_basic kept out" in said
    for one in ("visitors of the hosts ~^x", "limit_req kept visitors", "/ping return 200 ok", "rewrite ^/a /b"):
        assert one in said
    assert "requests went by turns to api, ws: api gets all, by its replicas" in said
    assert "a.example.com/b/ went to port 9000 of api" in said
    assert routes(carried) == ["a.example.com /*"]


def test_a_built_proxys_file_is_read_on_one_line_too(tmp_path: Path) -> None:
    """Beside its Dockerfile."""
    files = {
        "lb/Dockerfile": "FROM nginx:1\n",
        "lb/nginx.conf": "server { location / { proxy_pass http://api:81; }}\n",
    }
    carried = Composed(tmp_path, services(lb={"build": "./lb", "ports": ["80:80"]}, api=API, ws=API), files)
    assert (routes(carried), carried.service("api").port) == ([" /*"], 81)


def test_a_proxys_file_that_is_not_read_is_told(tmp_path: Path) -> None:
    """Whose words are others."""
    proxy = {"image": "haproxy:3", "ports": ["80:80"], "volumes": ["./haproxy.cfg:/usr/local/etc/haproxy/haproxy.cfg"]}
    carried = Composed(tmp_path, services(lb=proxy, api={**API, "expose": ["80"]}), {"haproxy.cfg": "x"})
    assert "./haproxy.cfg is not read" in looked_after(carried)


def test_a_caddyfile_that_caddy_would_refuse_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    """A root without a folder, for a matcher that nothing says."""
    carried = behind_caddy(tmp_path, "a.example.com {\n  root @files\n  reverse_proxy api:8000\n}\n")
    assert routes(carried) == ["a.example.com /*"]
