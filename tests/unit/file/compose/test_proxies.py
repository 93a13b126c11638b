"""Proxies are left out; what they did is taken over."""

from pathlib import Path

from tests.unit.file.compose.composed import Composed, services

APP = {"image": "acme/web:1", "expose": ["3000"]}
NGINX = """
events {}
http {
  upstream back { server api:4000; }
  server {
    listen 443 ssl;
    server_name shop.example.com;
    ssl_certificate /etc/nginx/certs/full.pem;
    ssl_certificate_key /etc/nginx/certs/key.pem;
    location / { proxy_pass http://web:3000; }   # the page
    location /api/ { proxy_pass http://back; }
    location ~ \\.php$ { proxy_pass http://web:3000; }
    location /cut/ { proxy_pass http://api:4000/; }
  }
}
"""


def routes(carried: Composed, name: str) -> list[tuple[str | None, str]]:
    return [(route.host, route.path) for route in carried.service(name).routes]


def test_traefiks_labels_become_routes_and_ports(tmp_path: Path) -> None:
    """Hosts, prefixes, alternatives; middlewares are told."""
    labels = [
        "traefik.enable=true",
        "traefik.http.routers.a.rule=Host(`api.example.com`) && PathPrefix(`/v1`)",
        "traefik.http.services.a.loadbalancer.server.port=8000",
        "traefik.http.middlewares.m.stripprefix.prefixes=/v1",
    ]
    two = {"traefik.http.routers.b.rule": "Host(`a.example.com`) || Host(`b.example.com`)"}
    carried = Composed(
        tmp_path,
        services(
            api={"image": "acme/api:1", "labels": labels},
            web={**APP, "labels": two},
            proxy={
                "image": "traefik:v3.0",
                "ports": ["80:80"],
                "volumes": ["/var/run/docker.sock:/var/run/docker.sock"],
            },
        ),
    )
    assert (carried.service("api").port, routes(carried, "api")) == (8000, [("api.example.com", "/v1/*")])
    assert routes(carried, "web") == [("a.example.com", "/*"), ("b.example.com", "/*")]
    assert carried.kinds()["proxy"] == "proxy"
    assert "mounts the Docker socket" in carried.evidence("proxy")
    assert "cut a path" in carried.why("label traefik.http.middlewares.m.stripprefix.prefixes")


def test_a_proxys_port_is_the_listeners(tmp_path: Path) -> None:
    """It is what visitors came in by."""
    for proxy in (
        {"image": "nginx:1.27", "ports": ["80:80"], "depends_on": ["web"]},
        {"image": "nginx:1.27", "ports": ["80:80"], "links": ["web:app"]},
        {"image": "haproxy:3", "ports": ["80:80"]},
        {"image": "nginx:1.27", "ports": ["80:80"], "volumes": ["./nginx.conf:/etc/nginx/nginx.conf"]},
    ):
        carried = Composed(tmp_path, services(web=APP, front=proxy))
        assert (carried.app.listen.http, set(carried.app.services)) == (80, {"web"})


def test_nginx_that_serves_files_of_its_own_is_no_proxy(tmp_path: Path) -> None:
    """Nor is a page that was built on it."""
    page = {"image": "nginx:1.27", "ports": ["80:80"], "volumes": ["./html:/usr/share/nginx/html"]}
    carried = Composed(tmp_path, services(page=page))
    assert carried.kinds() == {"page": "service"}
    built = Composed(
        tmp_path,
        services(
            api={"image": "acme/api:1", "ports": ["4000:4000"]},
            frontend={"build": "./f", "ports": ["80:80"], "depends_on": ["api"]},
        ),
        {"f/Dockerfile": "FROM node:20 AS build\nFROM nginx:1.27\n"},
    )
    assert built.kinds()["frontend"] == "service"


def test_nginxs_configuration_becomes_routes_and_tls(tmp_path: Path) -> None:
    """Hosts, locations, upstreams and certificates; what has no counterpart is left to do."""
    proxy = {
        "image": "nginx:1.27",
        "ports": ["80:80", "443:443"],
        "volumes": ["./nginx.conf:/etc/nginx/nginx.conf:ro", "./certs:/etc/nginx/certs"],
    }
    carried = Composed(
        tmp_path,
        services(
            web={"image": "w:1"}, api={"image": "a:1", "expose": ["4000"]}, nginx={**proxy, "depends_on": ["web"]}
        ),
        {"nginx.conf": NGINX, "certs/full.pem": "x", "certs/key.pem": "x"},
    )
    assert (carried.service("web").port, routes(carried, "web")) == (3000, [("shop.example.com", "/*")])
    assert routes(carried, "api") == [("shop.example.com", "/api/*"), ("shop.example.com", "/cut/*")]
    assert (carried.app.listen.http, carried.app.listen.https) == (80, 443)
    assert carried.app.tls is not None
    assert (carried.app.tls.certificate, carried.app.tls.key) == ("certs/full.pem", "certs/key.pem")
    said = carried.todo("services")
    assert "regular expression" in said
    assert "/cut/ was cut off before api saw a request" in said


def test_https_without_a_certificate_here_is_left_to_do(tmp_path: Path) -> None:
    """The file loads without."""
    proxy = {"image": "traefik:v3.0", "ports": ["80:80", "443:443"]}
    carried = Composed(tmp_path, services(web=APP, proxy=proxy))
    assert carried.app.listen.https is None
    assert carried.todo("tls").startswith("give tls a certificate and a key")


def test_caddys_file_becomes_routes(tmp_path: Path) -> None:
    """Sites, matchers and handles."""
    proxy = {"image": "caddy:2", "ports": ["80:80"], "volumes": ["./Caddyfile:/etc/caddy/Caddyfile"]}
    text = "shop.example.com {\n  handle /api/* {\n    reverse_proxy api:4000\n  }\n  reverse_proxy web:3000\n}\n"
    carried = Composed(
        tmp_path,
        services(web={"image": "w:1", "expose": ["3000"]}, api={"image": "a:1", "expose": ["1"]}, caddy=proxy),
        {"Caddyfile": text},
    )
    assert routes(carried, "web") == [("shop.example.com", "/*")]
    assert routes(carried, "api") == [("shop.example.com", "/api/*")]
