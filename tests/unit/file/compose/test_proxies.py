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


def test_a_proxy_that_is_built_says_where_others_listen(tmp_path: Path) -> None:
    """Its configuration stands beside its Dockerfile, with its own variables filled in."""
    carried = Composed(
        tmp_path,
        services(
            back={"build": "back"},
            proxy={"build": "proxy", "ports": ["80:80"], "depends_on": ["back"], "environment": {"TO": "back:8123"}},
        ),
        {
            "back/Dockerfile": "FROM python:3\n",
            "proxy/Dockerfile": "FROM nginx:1\n",
            "proxy/conf": "server {\n  location / {\n    proxy_pass http://$TO;\n  }\n}\n",
        },
    )
    assert carried.service("back").port == 8123


def test_a_proxys_sticky_cookie_is_the_services(tmp_path: Path) -> None:
    """With the name that it had; what else labels ask for is told."""
    labels = {
        "traefik.http.routers.a.rule": "Host(`a.example.com`)",
        "traefik.http.services.a.loadbalancer.server.port": "8000",
        "traefik.http.services.a.loadbalancer.sticky.cookie.name": "stay",
        "traefik.http.services.a.loadbalancer.responseforwarding.flushinterval": "1s",
    }
    carried = Composed(tmp_path, services(web={"image": "acme/web:1", "labels": labels}))
    sticky = carried.service().sticky
    assert sticky is not None
    assert (sticky.cookie, sticky.own) == ("stay", "stay")
    assert [left.what for left in carried.left] == [
        "label traefik.http.services.a.loadbalancer.responseforwarding.flushinterval",
    ]


def test_hosts_that_a_proxy_sent_on_are_redirects(tmp_path: Path) -> None:
    """By Caddy and by nginx, path and all; to HTTPS of the same host is no redirect, and others are told."""
    caddy = {"image": "caddy:2", "ports": ["80:80"], "volumes": ["./Caddyfile:/etc/caddy/Caddyfile"]}
    file = (
        "example.com {\n\treverse_proxy web:3000\n}\n"
        "www.example.com, old.example.com {\n\tredir https://example.com{uri} permanent\n}\n"
        "docs.example.com {\n\tredir https://example.com/docs\n}\n"
    )
    carried = Composed(tmp_path, services(web=APP, caddy=caddy), {"Caddyfile": file})
    assert carried.app.redirects == {"www.example.com": "example.com", "old.example.com": "example.com"}
    assert "docs.example.com was sent on to https://example.com/docs" in carried.todo("services")
    nginx = {"image": "nginx:1", "ports": ["80:80"], "volumes": ["./n.conf:/etc/nginx/conf.d/n.conf"]}
    conf = (
        "server { server_name example.com www.example.com; return 301 https://$host$request_uri; }\n"
        "server { server_name www.example.com; location / { return 308 https://example.com$request_uri; } }\n"
        "server { server_name example.com; location /old { return 301 /new; }\n"
        "location / { proxy_pass http://web:3000; } }"
    )
    other = tmp_path / "other"
    other.mkdir()
    carried = Composed(other, services(web=APP, nginx=nginx), {"n.conf": conf})
    assert carried.app.redirects == {"www.example.com": "example.com"}
    assert "/old was sent on to /new" in carried.todo("services")


def test_who_was_asked_by_another_protocol_is_told_what_to_do(tmp_path: Path) -> None:
    """It would never get healthy."""
    nginx = {"image": "nginx:1", "ports": ["80:80"], "volumes": ["./n.conf:/etc/nginx/conf.d/n.conf"]}
    conf = "server { location ~ \\.php$ { fastcgi_pass app:9000; } }"
    carried = Composed(tmp_path, services(app={"image": "acme/app:1", "expose": [9000]}, nginx=nginx), {"n.conf": conf})
    assert carried.draft.todos[0].where == "services.app"
    assert "FrankenPHP" in carried.draft.todos[0].what


def test_caddys_labels_become_routes_and_ports(tmp_path: Path) -> None:
    """Sites and the port behind them, also of a second site."""
    one = ["caddy=api.example.com", "caddy.reverse_proxy={{upstreams 4000}}"]
    two = {"caddy_1": "shop.example.com", "caddy_1.reverse_proxy": "{{upstreams}}"}
    carried = Composed(
        tmp_path,
        services(api={"image": "acme/api:1", "labels": one}, web={"image": "acme/web:1", "labels": two}),
    )
    assert (carried.service("api").port, routes(carried, "api")) == (4000, [("api.example.com", "/*")])
    assert (carried.service("web").port, routes(carried, "web")) == (80, [("shop.example.com", "/*")])


def test_whom_a_proxy_kept_out_is_to_be_kept_out(tmp_path: Path) -> None:
    """A login that goes with the proxy opens the service to everybody: that is a thing to do."""
    labels = {
        "traefik.http.routers.a.rule": "Host(`a.example.com`)",
        "traefik.http.services.a.loadbalancer.server.port": "8000",
        "traefik.http.middlewares.m.basicauth.users": "u:x",
    }
    carried = Composed(tmp_path, services(web={"image": "acme/web:1", "labels": labels}))
    assert "basicauth kept out" in carried.todo("services.web.routes")


def test_folders_that_a_proxy_served_are_named(tmp_path: Path) -> None:
    """Files below a path are not the app's, and nobody else would answer for them."""
    served = "location /static/ { alias /static/; }"
    text = f"http {{ server {{ listen 80; {served} location / {{ proxy_pass http://web:3000; }} }} }}"
    volumes = ["./nginx.conf:/etc/nginx/nginx.conf", "./built:/static"]
    proxy = {"image": "nginx:1", "ports": ["80:80"], "volumes": volumes}
    carried = Composed(tmp_path, services(web=APP, proxy=proxy), {"nginx.conf": text})
    assert "/static/ was served from the folder ./built/" in carried.todo("services")


def test_a_rule_of_brackets_alone_stays_a_rule(tmp_path: Path) -> None:
    """Of which there are more than anybody tells apart: its host is found all the same."""
    rule = "(" * 5000 + "Host(`a.example.com`)" + ")" * 5000
    carried = Composed(tmp_path, services(web={**APP, "labels": {"traefik.http.routers.b.rule": rule}}))
    assert routes(carried, "web") == [("a.example.com", "/*")]
