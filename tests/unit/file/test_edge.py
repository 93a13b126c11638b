"""Who stands before, and what is said to browsers."""

from pathlib import Path

import pytest
from tests.unit.file.files import SMALL

from crossfade.core.service import Service, Static
from crossfade.file.load import load
from crossfade.file.reading.problem import WrongFileError
from crossfade.file.settle import settle


def settled(folder: Path, text: str) -> Service:
    path = folder / "crossfade.yaml"
    path.write_text(text)
    (service,) = settle(load(path), folder)
    return service


def test_proxies_are_networks_addresses_or_words(tmp_path: Path) -> None:
    """Each network once."""
    web = settled(tmp_path, SMALL + "listen: {http: 80, trusted_proxies: [loopback, 10.0.0.7, 127.0.0.0/8, private]}\n")
    assert web.listener.trusted_proxies == (
        *("127.0.0.0/8", "::1/128", "10.0.0.7/32", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
    )


def test_short_words_are_headers(tmp_path: Path) -> None:
    """And a header's own name is itself."""
    words = "    headers: {hsts: 1y, frame: sameorigin, nosniff: true, Referrer-Policy: same-origin}\n"
    web = settled(tmp_path, SMALL + words)
    assert web.headers == (
        ("Strict-Transport-Security", "max-age=31536000"),
        ("X-Frame-Options", "SAMEORIGIN"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
    )


def test_visitors_stay_with_their_release_where_the_file_says_so(tmp_path: Path) -> None:
    """By default they stay with an instance alone."""
    assert not settled(tmp_path, SMALL + "    sticky: {cookie: id}\n").pins
    assert settled(tmp_path, SMALL + "    sticky: {release: true}\n").pins


@pytest.mark.parametrize(
    ("more", "seconds"),
    [
        ("    deploy: {strategy: rolling}\n", 5.0),
        ("    deploy: {keep_assets: 1m}\nbalancer: nginx\n", 60.0),
        ("    deploy: {strategy: recreate}\n", 0.0),
        ("    deploy: {strategy: rolling}\nbalancer: haproxy\n", 0.0),
    ],
)
def test_pages_are_read_for_five_seconds_where_another_release_is_asked(
    tmp_path: Path, more: str, seconds: float
) -> None:
    """HAProxy asks none, and what must not run twice leaves none to be asked."""
    assert settled(tmp_path, SMALL + more).strategy.keep_assets == seconds


TWO = """app: shop
services:
  api: {image: acme/api:1, routes: [{path: /api/*}]}
  web:
    image: acme/web:1
    env: {%s}
balancer: %s
"""


@pytest.mark.parametrize(
    ("variable", "named"),
    [
        ("API: http://api:8080/v1", True),
        ("API: http://user@api/v1", True),
        ("API: api:8080", True),
        ("API_HOST: api", True),
        ("MODE: api", False),
        ("API: http://api.example.com/v1", False),
        ("API: http://localhost/api/v1", False),
        ("WEB: http://web:8080", False),
    ],
)
@pytest.mark.parametrize("balancer", ["envoy", "haproxy", "nginx"])
def test_a_name_that_no_balancer_keeps_is_refused(tmp_path: Path, balancer: str, variable: str, *, named: bool) -> None:
    """Only Envoy leads the name of a service to it; an address that merely looks alike is none."""
    path = tmp_path / "crossfade.yaml"
    path.write_text(TWO % (variable, balancer))
    if not named or balancer == "envoy":
        assert load(path).balancer == balancer
        return
    with pytest.raises(
        WrongFileError, match=rf"services\.web\.env.*api is not a name with {balancer}.*balancer: envoy"
    ):
        load(path)


def test_an_address_that_is_not_there_is_refused_in_a_command(tmp_path: Path) -> None:
    """Beside containers; where all are processes any balancer leads there."""
    api = "  api: {source: ., command: python -m api, routes: [{path: /api/*}]}\n"
    text = SMALL.replace("-m shop", "-m shop $CROSSFADE_URL_API") + api + "balancer: nginx\n"
    (tmp_path / "crossfade.yaml").write_text(text)
    for service in settle(load(tmp_path / "crossfade.yaml"), tmp_path):
        assert ([peer.name for peer in service.names.peers], service.names.containers) == (["api", "web"], False)
    (tmp_path / "crossfade.yaml").write_text(text.replace("source: ., command: python -m api", "image: acme/api:1"))
    with pytest.raises(WrongFileError, match=r"services.web.command.*CROSSFADE_URL_.*with nginx"):
        load(tmp_path / "crossfade.yaml")


def site(folder: Path, text: str) -> Service:
    """A service that is a folder."""
    return settled(folder, f"app: shop\nservices:\n  site:\n    source: .\n{text}")


def test_a_folder_is_served_by_a_word_or_with_more(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    assert site(tmp_path, "    static: dist\n").static == Static(folder="dist")
    more = "    build: npm run build\n    static: {folder: out, fallback: index.html, immutable: [/a/*]}\n"
    assert site(tmp_path, more).static == Static(folder="out", fallback="index.html", immutable=("/a/*",))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("    static: dist\n", ("services.site.static", "dist", "does not exist", "a build that makes it")),
        ("    static: ../dist\n", ("services.site.static", "../dist", "below the source")),
        ("    static: /srv\n", ("services.site.static", "/srv")),
        ("    static: {fallback: index.html}\n", ("services.site.static", "folder")),
        ("    static: .\n    kind: worker\n", ("kind beside static",)),
        ("    static: .\nplatform: aws\n", ("static on AWS", "cloud: {site: ...}")),
    ],
)
def test_a_folder_that_cannot_be_served_is_named(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(WrongFileError) as error:
        site(tmp_path, text)
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("listen: {trusted_proxies: [10.0.0.1/8]}", ("trusted_proxies", "10.0.0.1/8", "loopback or private")),
        ("listen: {trusted_proxies: [everybody]}", ("trusted_proxies", "everybody")),
        ("    headers: {frame: maybe}", ("headers.frame", "deny or sameorigin")),
        ("    headers: {hsts: long}", ("headers.hsts", "180d or 1y")),
        ("    headers: {nosniff: true, X-Content-Type-Options: nosniff}", ("X-Content-Type-Options twice",)),
        ('    headers: {X-A: "a\\nSet-Cookie: b"}', ("X-A", "one line")),
        ("    headers: {Set-Cookie: a=b}", ("Set-Cookie", "any other header")),
        ('    headers: {"X A": b}', ("a header name",)),
        ('    routes: [{path: "/a;{b/*"}]', ("routes", "a path such as")),
        ("    static: dist", ("command beside static", "no command")),
        ("redirects: {www.a.de: www.b.de, www.b.de: b.de}", ("redirects.www.a.de", "sent on too")),
        ("redirects: {WWW.a.de: a.de}", ("redirects", "lower-case letters")),
        ("    routes: [{host: a.de}]\nredirects: {a.de: b.de}", ("redirects.a.de", "services.web has a route")),
        ("    sticky: {release: maybe}", ("sticky.release", "maybe")),
        ("    sticky: {release: true}\n    deploy: {strategy: recreate}", ("sticky.release", "no two releases run")),
        ("    sticky: {release: true}\nplatform: aws", ("sticky.release", "release on AWS")),
        ("    headers: {hsts: 1y}\nplatform: aws", ("headers", "headers on AWS", "the app has to")),
        ("    protocol: h2c\nbalancer: nginx", ("protocol", "h2c with nginx")),
        ("    listen_on: socket", ("services.web.command", "$PORT, which", "$CROSSFADE_SOCKET")),
        ("  api:\n    source: .\n    command: a ${CROSSFADE_SOCKET}", ("services.api.command", "listen_on: socket")),
        (
            "  site:\n    source: .\n    static: dist\n    listen_on: socket",
            ("services.site.listen_on", "beside static"),
        ),
        ("    listen_on: sockets", ("listen_on", "did you mean socket")),
        ("    env: {CROSSFADE_SOCKET: /tmp/x}", ("CROSSFADE_SOCKET", "gives each instance itself")),
        ("    kind: worker\n    listen_on: socket", ("listen_on for a worker",)),
        ("  api:\n    image: nginx\n    listen_on: socket", ("services.api.listen_on", "socket beside a source")),
        ("tls: {certificate: c, key: k, redirect: false, redirect_except: [/health]}", ("redirect_except",)),
    ],
)
def test_what_cannot_be_is_named(tmp_path: Path, line: str, words: tuple[str, ...]) -> None:
    """The key, what was found and what is allowed."""
    with pytest.raises(WrongFileError) as error:
        settled(tmp_path, f"{SMALL}{line}\n")
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    "line",
    [
        'source: "a\\0b"',
        'env_file: "a\\0b"',
        'secrets: {A: {file: "a\\0b"}}',
        'secrets: {A: {command: "a\\0b"}}',
        'env: {"A\\0": b}',
        'env: {A: "a\\0b"}',
    ],
)
def test_a_nul_character_is_nowhere_text(tmp_path: Path, line: str) -> None:
    """YAML can write one, and no system takes it."""
    text = SMALL.replace("    source: .\n", "") if line.startswith("source") else SMALL
    (tmp_path / "crossfade.yaml").write_text(f"{text}    {line}\n")
    with pytest.raises(WrongFileError, match="found a NUL character; allowed: text"):
        load(tmp_path / "crossfade.yaml")


@pytest.mark.parametrize("volumes", ["[a:media, b:media/sub]", "[a:media/sub, b:media]"])
def test_a_folder_inside_of_another_is_refused(tmp_path: Path, volumes: str) -> None:
    """Of a process both are links, and the one would be made in the other's data."""
    (tmp_path / "crossfade.yaml").write_text(f"{SMALL}    volumes: {volumes}\n")
    with pytest.raises(
        WrongFileError, match=r"volumes\.1: found media(/sub)? and media(/sub)?, one inside of the other"
    ):
        load(tmp_path / "crossfade.yaml")


def test_a_container_may_have_one_volume_inside_of_another(tmp_path: Path) -> None:
    """Docker mounts them one after the other."""
    text = "app: shop\nservices: {web: {image: x:1, volumes: [a:/srv, b:/srv/sub]}}\n"
    (tmp_path / "crossfade.yaml").write_text(text)
    assert len(load(tmp_path / "crossfade.yaml").services["web"].volumes) == 2


@pytest.mark.parametrize("text", ["app: " + "[" * 100_000, "app: " + "{a: " * 100_000, "- " * 100_000 + "x"])
def test_a_file_of_brackets_alone_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    """However many."""
    (tmp_path / "crossfade.yaml").write_text(text)
    with pytest.raises(WrongFileError, match="more than 40 levels"):
        load(tmp_path / "crossfade.yaml")
