"""What Compose files say in other words, and what instances do not get: carried over or told, and never passed over."""

import json
from pathlib import Path

import pytest
from tests.unit.file.compose.composed import Composed, one, services

from crossfade.file.load import load
from crossfade.file.reading.dotenv import read_variables

WEB = {"image": "acme/web:1", "ports": ["3000:3000"]}


def todos(carried: Composed) -> str:
    return "\n".join(map(str, carried.draft.todos))


def test_a_service_that_extends_is_told_where_it_stands(tmp_path: Path) -> None:
    """And not where the one does that it extends."""
    text = (
        "services:\n  base: {image: x, profiles: [never]}\n  web: {extends: base, profiles: !reset [], ports: [80]}\n"
    )
    draft = Composed(tmp_path, text + "  late: {extends: base}\n").draft
    assert [left.where.rsplit(":", 3)[1:] for left in draft.left if left.what == "late"] == [
        ["4", "3", " services.late"]
    ]


@pytest.mark.parametrize("port", [3478, 554, 1935, 873, 2049])
def test_well_known_ports_of_other_protocols_are_no_pages(tmp_path: Path, port: int) -> None:
    """TURN, RTSP, RTMP, rsync, NFS."""
    carried = Composed(tmp_path, services(web=WEB, other={"image": "x:1", "ports": [f"{port}:{port}"]}))
    assert carried.kinds()["other"] == "other"


def test_how_long_a_check_waits_at_first_is_told_of_commands_too(tmp_path: Path) -> None:
    """Of services and of workers."""
    check = {"test": ["CMD", "node", "ok.js"], "start_period": "2m"}
    worker = {"image": "x:1", "command": "celery worker", "healthcheck": check}
    carried = Composed(tmp_path, services(web={**WEB, "healthcheck": check}, job=worker))
    assert [left.what for left in carried.left if "start_period" in left.what] == ["start_period 2m"] * 2


def test_caddys_labels_redirect_guard_and_cut(tmp_path: Path) -> None:
    """A site that is only sent on is no route of the service."""
    labels = {
        "caddy_0": "a.example.com",
        "caddy_0.reverse_proxy": "{{upstreams 9000}}",
        "caddy_0.basic_auth": "",
        "caddy_0.handle_path": "/api/*",
        "caddy_1": "old.example.com",
        "caddy_1.redir": "https://a.example.com{uri} permanent",
    }
    carried = Composed(tmp_path, services(web={"image": "x:1", "labels": labels}))
    assert [route.host for route in carried.service().routes or ()] == ["a.example.com"]
    assert carried.app.redirects == {"old.example.com": "a.example.com"}
    assert "the proxy's basic_auth kept out" in carried.todo("services.web.routes")
    assert "handle_path /api/* changed paths" in todos(carried)


def test_what_belongs_to_a_proxy_goes_with_it(tmp_path: Path) -> None:
    """Though it has no port."""
    behind = {"image": "acme/web:1", "expose": ["3000"]}
    proxy = {"image": "nginxproxy/nginx-proxy:1", "ports": ["80:80", "8080:8080", "443:443/udp"]}
    carried = Composed(tmp_path, services(proxy=proxy, acme={"image": "nginxproxy/acme-companion:2"}, web=behind))
    assert carried.kinds()["acme"] == "proxy"
    assert carried.why("port 8080:8080") == "a file has one listener: 80"
    assert carried.why("port 443:443/udp") == "crossfade serves HTTP, which is TCP"


@pytest.mark.parametrize(
    ("rule", "routes"),
    [
        ("Host(`a.b`) && (PathPrefix(`/x`) || Path(`/y`))", ["a.b /x/*", "a.b /y"]),
        ("(Host(`a.b`) || Host(`c.d`)) && PathPrefix(`/x`)", ["a.b /x/*", "c.d /x/*"]),
        ("Host(`a.b`, `c.d`) || (Host(`e.f`) && (Path(`/y`)))", ["a.b /*", "c.d /*", "e.f /y"]),
        ("Host(`a.b`) && Path(`/(x)`) || Host(`c.d`)", ["c.d /*"]),
        ("Host(`a.b`) && !(Path(`/x`) || Path(`/y`)) || Host(`c.d`)", ["c.d /*"]),
        ("Host(`a.b`) && (Path(`/x`)", ["a.b /x"]),
    ],
)
def test_brackets_in_traefiks_rules_mean_what_they_mean(tmp_path: Path, rule: str, routes: list[str]) -> None:
    """A host outside of them is the host of each alternative inside."""
    labels = {"traefik.http.routers.w.rule": rule, "traefik.http.services.w.loadbalancer.server.port": "3000"}
    carried = Composed(tmp_path, services(web={"image": "x:1", "labels": labels}))
    assert [f"{route.host} {route.path}" for route in carried.service().routes or ()] == routes


def test_a_path_that_traefik_cut_is_a_thing_to_do(tmp_path: Path) -> None:
    """The service gets whole paths."""
    labels = {
        "traefik.http.routers.w.rule": "PathPrefix(`/api`)",
        "traefik.http.middlewares.s.stripprefix.prefixes": "/api",
    }
    carried = Composed(tmp_path, services(web={**WEB, "labels": labels}))
    assert "stripprefix /api changed paths before web saw a request" in todos(carried)


def test_labels_of_swarm_are_labels(tmp_path: Path) -> None:
    """Below `deploy`, as a list or not; a name of the service's own wins."""
    deploy = {"labels": ["traefik.http.routers.w.rule=Host(`a.example.com`)", "traefik.port=1"]}
    labels = {"traefik.http.services.w.loadbalancer.server.port": "4000"}
    carried = Composed(tmp_path, services(web={"image": "x:1", "deploy": deploy, "labels": labels}))
    assert ([route.host for route in carried.service().routes or ()], carried.service().port) == (
        ["a.example.com"],
        4000,
    )


def test_one_that_only_waits_for_others_is_not_needed(tmp_path: Path) -> None:
    """Stores are ready before services; what it would do afterwards is run."""
    wait = {"image": "jwilder/dockerize:1", "command": ["-wait", "tcp://db:5432"]}
    then = {"image": "acme/web:1", "command": "wait-for-it db:5432 -- ./seed.sh"}
    web = {**WEB, "depends_on": {name: {"condition": "service_completed_successfully"} for name in ("wait", "then")}}
    carried = Composed(tmp_path, services(web=web, wait=wait, then=then))
    assert carried.why("wait").startswith("it only waits for others")
    assert carried.service().hooks.migrate == "wait-for-it db:5432 -- ./seed.sh"
    assert "what wait does" not in todos(carried)


def test_who_lives_in_anothers_network_stays_in_compose_with_it(tmp_path: Path) -> None:
    """Each instance here has a network of its own; a provider's service has no image at all."""
    vpn = {"image": "acme/vpn:1", "ports": ["8080:8080"]}
    guest = {"image": "acme/guest:1", "network_mode": "service:vpn"}
    carried = Composed(tmp_path, services(web=WEB, vpn=vpn, guest=guest, db={"provider": {"type": "cloud"}}))
    assert carried.kinds() == {"web": "service", "vpn": "other", "guest": "other", "db": "other"}
    assert list(carried.app.services) == ["web"]


def test_what_instances_do_not_get_is_a_thing_to_do(tmp_path: Path) -> None:
    """Hardware first, then what ran around it, then rights that many do without."""
    web = one(
        tmp_path,
        "devices: ['/dev/dri:/dev/dri']",
        "deploy: {resources: {reservations: {devices: [{capabilities: [gpu]}]}}}",
        "post_start: [{command: x}]",
        "network_mode: host",
        "sysctls: {a: 1}",
    )
    hardware = "devices, deploy.resources.reservations.devices"
    assert [todo.what for todo in web.draft.todos if "health" not in todo.where] == [
        f"leave it in Compose, or have it work without {hardware}, which instances do not get",
        "have the service itself do what post_start did",
        "see that it works without network_mode, sysctls, which instances do not get",
    ]


def test_other_names_of_a_container_are_written_as_the_one_it_has_here(tmp_path: Path) -> None:
    """Its own aliases, and what one alone calls another by a link."""
    web = {
        **WEB,
        "networks": {"front": {"aliases": ["backend"]}},
        "links": ["db:database"],
        "environment": {"SELF_URL": "http://backend:3000", "DB_HOST": "database"},
    }
    text = services(web=web, db={"image": "postgres:16"}, api={"image": "x:1", "environment": {"DB_HOST": "database"}})
    carried = Composed(tmp_path, text)
    assert carried.service().env == {"SELF_URL": "http://web:3000", "DB_HOST": "db"}
    assert carried.service("api").env == {"DB_HOST": "database"}


def test_an_address_that_was_published_is_told_with_the_new_one(tmp_path: Path) -> None:
    """A browser asks there; what the listener has is right already."""
    front = {**WEB, "environment": {"API": "http://localhost:8000/v1", "SELF": "http://localhost:3000"}}
    carried = Composed(tmp_path, services(web=front, api={"image": "x:1", "ports": ["8000:80"]}))
    assert carried.todo("services.web.env.API") == (
        "localhost:8000 was api, which visitors find at http://localhost:3000/api/ now"
    )
    assert carried.todo("services.web.env.SELF") == ""


def test_an_address_in_a_file_of_variables_is_told_there(tmp_path: Path) -> None:
    """No secret of that name is in the new file."""
    db = {"image": "postgres:16", "ports": ["5432:5432"], "volumes": ["data:/var/lib/postgresql/data"]}
    text = services(web={**WEB, "env_file": "web.env"}, db=db)
    carried = Composed(tmp_path, text, {"web.env": "DB_URL=http://localhost:5432/shop\n"})
    assert "localhost:5432 was db" in carried.todo("services.web.env_file.DB_URL")


def test_a_build_that_needs_more_has_its_whole_line(tmp_path: Path) -> None:
    """Secrets, keys, network, and a Dockerfile that stands in the Compose file."""
    build = {
        "context": ".",
        "secrets": ["npm", {"source": "tok", "target": "t"}],
        "ssh": ["default"],
        "network": "host",
    }
    inline = {"context": ".", "dockerfile_inline": "FROM x"}
    text = f"""services:
  web: {{build: {build}, ports: [80]}}
  late: {{build: {inline}, ports: [81]}}
secrets: {{npm: {{file: ./npm.txt}}, tok: {{environment: TOK}}}}
"""
    carried = Composed(tmp_path, text, {"Dockerfile": "FROM x\n"})
    more = "--secret id=npm,src=npm.txt --secret id=t,env=TOK --ssh default --network host ."
    assert carried.todo("services.web.image").endswith(more)
    assert carried.todo("services.late.image").endswith(
        "-f inline.Dockerfile ., once inline.Dockerfile has the text of dockerfile_inline"
    )


def test_mounts_of_other_types_are_what_they_are(tmp_path: Path) -> None:
    """Memory stays memory, a part of a volume is told, credentials of the machine belong in no image."""
    (tmp_path / "home").mkdir()
    mounts = [
        {"type": "tmpfs", "target": "/t", "tmpfs": {"size": 1000}},
        {"type": "volume", "source": "up", "target": "/up", "volume": {"subpath": "a"}},
        {"type": "image", "source": "acme/assets:1", "target": "/assets"},
        {"type": "npipe", "source": "a", "target": "/b"},
        f"{tmp_path}/home:/home/app/.aws:ro",
        "/nowhere/key.pem:/key.pem:ro",
    ]
    carried = Composed(tmp_path, services(web={**WEB, "volumes": mounts, "tmpfs": "/run"}))
    assert carried.service().tmpfs == ("/run", "/t:size=1000")
    assert [(mount.source, mount.read_only) for mount in carried.service().volumes] == [
        ("up", False),
        (f"{tmp_path}/home", True),
    ]
    assert "up:/up was its folder a alone" in carried.todo("services.web.volumes")
    assert carried.why("volume acme/assets:1:/assets").endswith("COPY --from=acme/assets:1 / /assets")
    assert carried.why("volume a:/b") == "a mount of the type npipe is not given to instances"
    assert carried.why("volume /nowhere/key.pem:/key.pem:ro").startswith("bring /nowhere/key.pem, and write")


def test_data_in_memory_is_kept_in_one_place(tmp_path: Path) -> None:
    """Docker refuses a volume and memory at the same path."""
    db = {"image": "postgres:16", "tmpfs": ["/var/lib/postgresql/data", "/run"]}
    store = Composed(tmp_path, services(web=WEB, db=db)).app.stores["db"]
    assert (store.tmpfs, [volume.target for volume in store.volumes]) == (("/run",), ["/var/lib/postgresql/data"])


def test_php_fpm_alone_answers_no_http(tmp_path: Path) -> None:
    """One with a web server in its image does."""
    proxy = {
        "image": "nginx:1",
        "ports": ["80:80"],
        "depends_on": ["php"],
        "volumes": ["./n.conf:/etc/nginx/nginx.conf"],
    }
    carried = Composed(
        tmp_path,
        services(nginx=proxy, php={"image": "php:8.3-fpm"}, other={"image": "x/php:8-fpm-nginx", "expose": ["80"]}),
    )
    assert "have its image answer HTTP, by FrankenPHP" in carried.todo("services.php")
    assert carried.todo("services.other") == ""
    assert "./n.conf does not exist, so nothing of it is taken over" in todos(carried)


def test_the_default_network_may_be_anothers(tmp_path: Path) -> None:
    """Who names no network is on it."""
    text = services(web=WEB) + "\n"
    carried = Composed(tmp_path, text[:-2] + ', "networks": {"default": {"name": "shared", "external": true}}}\n')
    assert carried.app.network == "shared"


def test_owner_and_mode_of_a_secrets_file_are_told(tmp_path: Path) -> None:
    """A mounted file has those of this machine; a file of variables in raw form is read with ours."""
    web = {**WEB, "secrets": [{"source": "s", "mode": 256}], "env_file": [{"path": "a.env", "format": "raw"}]}
    text = services(web=web)[:-1] + ', "secrets": {"s": {"file": "s.txt"}}}'
    carried = Composed(tmp_path, text, {"s.txt": "s", "a.env": "A=1\n"})
    assert carried.why("mode of secrets s").startswith("a file is mounted as it is")
    assert carried.why("format raw of a.env").startswith("quotes, # and $ mean something here")


@pytest.mark.parametrize(
    ("image", "variables", "place"),
    [
        ("eclipse-mosquitto:2", {}, "/mosquitto/data"),
        ("zookeeper:3", {}, "/data"),
        ("confluentinc/cp-zookeeper:7", {"ZOOKEEPER_CLIENT_PORT": "2181"}, "/var/lib/zookeeper"),
        ("cockroachdb/cockroach:v24", {}, "/cockroach/cockroach-data"),
    ],
)
def test_a_store_without_a_volume_keeps_its_data_where_it_lies(
    tmp_path: Path, image: str, variables: dict[str, str], place: str
) -> None:
    """Elsewhere it would be gone with the container."""
    store = {"image": image, "environment": variables}
    [volume] = Composed(tmp_path, services(web=WEB, store=store)).app.stores["store"].volumes
    assert volume.target == place


def test_what_is_set_nowhere_stays_open_for_a_dotenv_that_comes_later(tmp_path: Path) -> None:
    """A fresh clone has only an example of it: that is the first thing to do, and the file need not be made anew."""
    environment = {"DB_HOST": "${DB_HOST}", "URL": "http://$DB_HOST:${PORT_OF:-80}", "FIXED": "${MODE:-live}"}
    text = services(web={**WEB, "environment": environment})
    carried = Composed(tmp_path, text, {".env.example": "DB_HOST=db\n"})
    assert carried.draft.todos[0].what == "copy .env.example to .env and fill it in: without it DB_HOST stays empty"
    assert carried.service().env == {"DB_HOST": "", "URL": "http://:80", "FIXED": "live"}
    (tmp_path / ".env").write_text("DB_HOST=db.example.com\n")
    later = load(tmp_path / "crossfade.yaml", variables=read_variables(tmp_path / ".env", ".env", {}))
    assert later.services["web"].env["URL"] == "http://db.example.com:80"
    again = Composed(tmp_path, services(web={**WEB, "environment": {"A": "${NOWHERE}"}}))
    assert again.todo("services.web.env") == "see that these may be empty, or write them to .env: NOWHERE"


def test_a_port_of_https_that_no_file_of_the_proxy_serves_asks_for_no_certificate(tmp_path: Path) -> None:
    """It was published and nobody listened; a folder of pages beside it is no configuration."""
    mounts = ["./n.conf:/etc/nginx/nginx.conf", "./html:/usr/share/nginx/html"]
    proxy = {"image": "nginx:1", "ports": ["80:80", "443:443"], "depends_on": ["web"], "volumes": mounts}
    text = services(nginx=proxy, web={"image": "x:1", "expose": ["8000"]})
    conf = "http { server { listen 80; location / { proxy_pass http://web:8000; } } }"
    carried = Composed(tmp_path, text, {"n.conf": conf})
    assert carried.why("port 443:443") == "nothing of the proxy's files serves HTTPS"
    assert [todo.where for todo in carried.draft.todos] == ["services.web.health"]
    with_tls = conf.replace("listen 80;", "listen 443 ssl; ssl_certificate a.pem;")
    assert "give tls a certificate" in Composed(tmp_path, text, {"n.conf": with_tls}).todo("tls")


def test_a_secret_with_a_default_need_not_be_brought(tmp_path: Path) -> None:
    """Compose takes the default of its own name, and so does the file; what the shell has goes before it."""
    db = {"image": "postgres:16", "environment": {"POSTGRES_PASSWORD": "${POSTGRES_PASSWORD:-geheim}"}}
    carried = Composed(tmp_path, services(web=WEB, db=db))
    assert carried.todo("stores.db.secrets") == ""
    assert carried.app.stores["db"].secrets.sources["POSTGRES_PASSWORD"].value == "${POSTGRES_PASSWORD:-geheim}"
    (tmp_path / ".env").write_text("POSTGRES_PASSWORD=other\n")
    assert list(Composed(tmp_path, services(web=WEB, db=db)).app.stores["db"].secrets) == ["POSTGRES_PASSWORD"]


def test_arguments_of_a_build_that_are_set_nowhere_come_from_a_shell(tmp_path: Path) -> None:
    """Of the deploy, or where one is a secret, of who builds: it stands in no file."""
    build = {"context": ".", "args": {"MODE": "${MODE}", "FIXED": "1"}}
    text = services(web={"build": build, "ports": ["80:80"]})
    carried = Composed(tmp_path, text, {"Dockerfile": "FROM x\n"})
    assert "args: {MODE: '${MODE:-}', FIXED: '1'}" in carried.text.replace('"', "'")
    build["args"] = {"MODE": "${MODE}", "API_KEY": "${API_KEY}"}
    by_hand = Composed(tmp_path, services(web={"build": build, "ports": ["80:80"]}), {"Dockerfile": "FROM x\n"})
    assert by_hand.todo("services.web.image").endswith("--build-arg MODE --build-arg API_KEY .")


def test_a_proxy_that_is_not_in_the_file_is_told_where_to_send_visitors(tmp_path: Path) -> None:
    """Its labels are here, its ports are not."""
    labels = {
        "traefik.http.routers.w.rule": "Host(`a.example.com`)",
        "traefik.http.services.w.loadbalancer.server.port": "3000",
    }
    carried = Composed(tmp_path, services(web={"image": "x:1", "labels": labels}))
    assert carried.todo("listen").startswith("have the proxy whose labels these were send a.example.com to port 8080")


def test_what_a_network_was_made_with_is_told(tmp_path: Path) -> None:
    """One that led nowhere was there for a reason; a bridge is what all are."""
    networks = {"inside": {"internal": True, "driver": "bridge"}, "usual": {"driver": "bridge", "name": "x"}}
    web = {"image": "x:1", "ports": ["80:80"], "networks": ["inside", "usual"]}
    carried = Composed(tmp_path, json.dumps({"services": {"web": web}, "networks": networks}))
    assert [left.what for left in carried.left if "of the network" in left.what] == ["internal of the network inside"]
    assert "it was internal, and is not now" in carried.todo("services")


def test_what_extensions_of_the_file_ask_for_is_asked_for_where_it_is_used(tmp_path: Path) -> None:
    """`x-env` is no service: a secret that it names has to be set for a deploy, and not for this."""
    text = "x-env: &env {TOKEN: '${TOKEN_OF_API:?say which}'}\n"
    text += "services: {web: {image: 'x:1', ports: ['80:80'], environment: {<<: *env}}}\n"
    carried = Composed(tmp_path, text)
    assert carried.todo("services.web.secrets") == "export TOKEN_OF_API, or write it to .env beside this file"


@pytest.mark.parametrize(
    "environment",
    [{"SMTP_URL": "smtp://mail:1025"}, {"MAIL_HOST": "mail", "MAIL_PORT": "1025"}, {"MAIL": "mail:1025"}],
)
def test_a_second_port_of_a_service_is_answered_by_nobody(environment: dict[str, str], tmp_path: Path) -> None:
    """Its name leads to the balancer, at its own port alone; one that speaks something else too can be a store."""
    web = {"image": "acme/web:1", "ports": ["80:80"], "environment": environment}
    mail = {"image": "acme/mail:1", "ports": ["1025:1025", "8025:8025"]}
    todos = Composed(tmp_path, services(web=web, mail=mail)).draft.todos
    found = [todo.what for todo in todos if "under stores" in todo.what]
    assert found == [
        "write mail under stores: it is asked at port 1025, and a service answers at one port, which is 8025 here"
    ]


def test_the_port_of_a_service_is_answered(tmp_path: Path) -> None:
    """Nothing is to do about what is asked where it answers."""
    web = {"image": "acme/web:1", "ports": ["80:80"], "environment": {"API_HOST": "api", "API_PORT": "8000"}}
    api = {"image": "acme/api:1", "expose": ["8000"]}
    todos = Composed(tmp_path, services(web=web, api=api)).draft.todos
    assert not [todo for todo in todos if "under stores" in todo.what]
