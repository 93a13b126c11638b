"""A folder as it is served: what is there, how long it may be kept, and what is not there."""

import gzip
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crossfade.core.service import Service, Static
from crossfade.platforms.local.runtimes.processes.program import program
from crossfade.platforms.local.static.asked import encodings
from crossfade.platforms.local.static.folder import index
from crossfade.platforms.local.static.site import StaticSite

SCRIPT = "export const a = 1;\n" * 200
FILES = {
    "index.html": "<p>home</p>",
    "about.html": "<p>about</p>",
    "docs/index.html": "<p>docs</p>",
    "assets/app.3f9a21bc.js": SCRIPT,
    "assets/app.js": SCRIPT,
    "a b.txt": "with a space",
    ".env": "SECRET=1",
    ".git/config": "x",
    ".well-known/security.txt": "Contact: us",
    "crossfade.yaml": "app: shop",
}


@dataclass(frozen=True)
class Got:
    status: int
    headers: Mapping[str, str]
    body: bytes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / "site" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "site" / name).write_text(text)
    return tmp_path / "site"


@pytest.fixture
def site(folder: Path) -> StaticSite:
    return StaticSite(folder)


async def get(site: StaticSite, path: str, method: str = "GET", query: str = "", **headers: str) -> Got:
    """One request; headers by their names with underscores."""
    sent: list[Any] = []
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": raw}

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await site({**scope, "asgi": {"version": "3.0", "spec_version": "2.4"}}, receive, send)
    got = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Got(sent[0]["status"], got, b"".join(message.get("body", b"") for message in sent[1:]))


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("/", "<p>home</p>", "text/html; charset=utf-8"),
        ("/about", "<p>about</p>", "text/html; charset=utf-8"),
        ("/about.html", "<p>about</p>", "text/html; charset=utf-8"),
        ("/docs/", "<p>docs</p>", "text/html; charset=utf-8"),
        ("/assets/app.js", SCRIPT, "text/javascript; charset=utf-8"),
        ("/a b.txt", "with a space", "text/plain; charset=utf-8"),
        ("/.well-known/security.txt", "Contact: us", "text/plain; charset=utf-8"),
    ],
)
async def test_a_path_leads_to_its_file(site: StaticSite, path: str, text: str, kind: str) -> None:
    """A page with or without its ending, a folder by its index; HEAD says the same without the content."""
    got = await get(site, path)
    assert (got.status, got.body.decode(), got.headers["content-type"]) == (200, text, kind)
    assert got.headers["x-content-type-options"] == "nosniff"
    head = await get(site, path, "HEAD")
    assert (head.status, head.body, head.headers) == (200, b"", got.headers)
    assert got.headers["content-length"] == str(len(text))


@pytest.mark.parametrize(
    "path",
    [
        "/.env",
        "/.git/config",
        "/crossfade.yaml",
        "/../site/.env",
        "/%2e%2e/x",
        "//index.html",
        "/docs",
        "/nothing",
        "/\0",
    ],
)
async def test_what_is_nobodys_business_is_not_there(site: StaticSite, path: str) -> None:
    """Dotfiles, our own file, and whatever a path is bent to."""
    got = await get(site, path)
    assert got.status in {404, 308}
    assert b"SECRET" not in got.body


async def test_a_link_that_leads_out_of_the_folder_is_not_served(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "out.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "in.txt").symlink_to(folder / "a b.txt")
    assert "out.txt" not in index(folder)
    assert "in.txt" in index(folder)


async def test_a_folder_without_its_slash_is_sent_there(site: StaticSite) -> None:
    """So that links in its page are meant from it; the query goes along."""
    got = await get(site, "/docs", query="a=1")
    assert (got.status, got.headers["location"]) == (308, "/docs/?a=1")


async def test_what_has_a_hash_is_kept_for_a_year_and_all_else_asked_for_anew(site: StaticSite, folder: Path) -> None:
    """Or what the file names."""
    assert (await get(site, "/assets/app.3f9a21bc.js")).headers["cache-control"].endswith("immutable")
    for path in ("/", "/assets/app.js", "/a b.txt"):
        assert (await get(site, path)).headers["cache-control"] == "no-cache"
    named = StaticSite(folder, immutable=("/assets/*",))
    assert (await get(named, "/assets/app.js")).headers["cache-control"].endswith("immutable")


@pytest.mark.parametrize(
    ("name", "hashed"),
    [
        ("app.3f9a21bc.js", True),
        ("index-BZx4kqUG.css", True),
        ("main_0123456789abcdef0123.js", True),
        ("report-version2.pdf", False),
        ("photo-20240101.jpg", False),
        ("my-document.pdf", False),
        ("app.js", False),
        ("3f9a21bc/app.js", False),
    ],
)
def test_a_hash_is_told_from_a_word(tmp_path: Path, name: str, hashed: bool) -> None:
    """What is wrongly kept for a year is worse than what is asked for once more."""
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("x")
    assert index(tmp_path)[name].immutable is hashed


async def test_what_is_known_is_not_sent_again(site: StaticSite, folder: Path) -> None:
    """By its content, not by when the copy was made; each encoding has an ETag of its own."""
    etag = (await get(site, "/assets/app.js")).headers["etag"]
    packed = (await get(site, "/assets/app.js", accept_encoding="gzip")).headers["etag"]
    assert etag != packed
    for known, status in ((etag, 304), (f"W/{etag}", 304), (f'"x", {etag}', 304), ("*", 304), ('"x"', 200)):
        got = await get(site, "/assets/app.js", if_none_match=known)
        assert (known, got.status, got.body == b"") == (known, status, status == 304)
    assert (await get(site, "/assets/app.js", if_none_match=packed, accept_encoding="gzip")).status == 304
    (folder / "assets/app.js").touch()
    assert (await get(StaticSite(folder), "/assets/app.js")).headers["etag"] == etag
    assert "last-modified" not in (await get(site, "/assets/app.js")).headers


async def test_text_is_packed_and_nothing_else(site: StaticSite, folder: Path) -> None:
    """By us, or as the build left it beside the file; small ones and pictures are sent as they are."""
    got = await get(site, "/assets/app.js", accept_encoding="gzip, deflate, br")
    assert (got.headers["content-encoding"], gzip.decompress(got.body).decode()) == ("gzip", SCRIPT)
    assert got.headers["vary"] == "Accept-Encoding"
    head = await get(site, "/assets/app.js", "HEAD", accept_encoding="gzip")
    assert (head.body, head.headers["content-length"]) == (b"", str(len(got.body)))
    assert "content-encoding" not in (await get(site, "/assets/app.js", accept_encoding="gzip;q=0")).headers
    assert "content-encoding" not in (await get(site, "/", accept_encoding="gzip")).headers
    (folder / "assets/app.js.br").write_bytes(b"brotli")
    (folder / "photo.png").write_bytes(b"\x89PNG" * 1000)
    again = StaticSite(folder)
    got = await get(again, "/assets/app.js", accept_encoding="gzip, br")
    assert (got.headers["content-encoding"], got.body) == ("br", b"brotli")
    assert got.headers["content-type"].startswith("text/javascript")
    assert "content-encoding" not in (await get(again, "/photo.png", accept_encoding="gzip")).headers


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", []),
        ("gzip, deflate, br", ["br", "gzip"]),
        ("gzip;q=1.0, br;q=0.5", ["gzip", "br"]),
        ("*", ["br", "gzip"]),
        ("br;q=0, *;q=0.1", ["gzip"]),
        ("gzip;q=much", []),
    ],
)
def test_the_best_encoding_is_taken(header: str, found: list[str]) -> None:
    assert encodings(header) == found


async def test_a_part_of_a_file_is_a_part_of_the_file_that_is_known(site: StaticSite) -> None:
    """Of another content all is sent; a part is never packed."""
    whole = SCRIPT.encode()
    got = await get(site, "/assets/app.js", range="bytes=10-19", accept_encoding="gzip")
    assert (got.status, got.body, got.headers["content-range"]) == (206, whole[10:20], f"bytes 10-19/{len(whole)}")
    etag = got.headers["etag"]
    assert (await get(site, "/assets/app.js", range="bytes=-5", if_range=etag)).body == whole[-5:]
    stale = await get(site, "/assets/app.js", range="bytes=-5", if_range='"other"')
    assert (stale.status, stale.body) == (200, whole)
    assert (await get(site, "/assets/app.js", range=f"bytes={len(whole)}-")).status == 416


Ask = Callable[..., Any]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/users/7", {"accept": "text/html,*/*;q=0.8"}, 200),
        ("/users/7", {"sec_fetch_dest": "document"}, 200),
        ("/users/john.doe", {"sec_fetch_dest": "document"}, 200),
        ("/users/john.doe", {"accept": "text/html"}, 200),
        ("/users/7", {}, 200),
        ("/assets/gone.js", {}, 404),
        ("/assets/gone.js", {"accept": "*/*"}, 404),
        ("/assets/gone.js", {"accept": "text/html,*/*;q=0.8"}, 404),
        ("/chunk/7", {"sec_fetch_dest": "script", "accept": "*/*"}, 404),
        ("/style", {"sec_fetch_dest": "style", "accept": "text/css,*/*;q=0.1"}, 404),
        ("/image", {"accept": "image/*"}, 404),
        ("/api/users", {"accept": "application/json"}, 404),
        ("/api/users", {"sec_fetch_dest": "empty", "accept": "*/*"}, 404),
    ],
)
async def test_only_who_wants_a_page_gets_the_fallback(
    folder: Path, path: str, headers: dict[str, str], status: int
) -> None:
    """A site of one page answers its own addresses, and never a script, a style or a call with a page."""
    got = await get(StaticSite(folder, fallback="index.html"), path, **headers)
    assert (got.status, b"home" in got.body) == (status, status == 200)
    assert got.headers["cache-control"] == "no-cache"


async def test_a_page_of_its_own_says_what_is_not_there(folder: Path) -> None:
    """`404.html`, with its code."""
    (folder / "404.html").write_text("<p>lost</p>")
    got = await get(StaticSite(folder), "/nothing", accept="text/html")
    assert (got.status, got.body) == (404, b"<p>lost</p>")


async def test_a_folder_takes_nothing(site: StaticSite) -> None:
    got = await get(site, "/", "POST")
    assert (got.status, got.headers["allow"]) == (405, "GET, HEAD")


def test_a_folder_may_begin_as_an_option_does(tmp_path: Path) -> None:
    """It is the folder that is not there, and no option that nobody knows."""
    service = Service(app="shop", name="web", source=str(tmp_path), static=Static(folder="-dist", fallback="-x.html"))
    done = subprocess.run(["sh", "-c", program(service)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        2,
        "-dist is not a folder of this release: what git ignores is not in it, unless `build` makes it\n",
    )
