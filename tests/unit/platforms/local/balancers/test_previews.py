"""The way to a release in preview, and its secret."""

import stat
from pathlib import Path

import pytest

from crossfade.core.service import Listener, Preview, Service, Tls
from crossfade.platforms.local.balancers.previews import Passes, preview

TLS = Tls(certificate="/c.pem", key="/k.pem")


def made(**listener: object) -> Service:
    return Service(app="a", name="web", listener=Listener(**listener))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("service", "url"),
    [
        (made(), "http://127.0.0.1:8080"),
        (made(host="::"), "http://[::1]:8080"),
        (made(host="192.0.2.1", http=None, https=8443, tls=TLS), "https://192.0.2.1:8443"),
    ],
)
def test_a_preview_is_reached_by_its_full_name(service: Service, url: str) -> None:
    """At an address of this machine, with the release's name in the header."""
    assert preview(service, 7, "s3cret") == (url, {"X-Crossfade-Preview": "a/web/7:s3cret"})


def test_a_preview_port_is_for_this_machine_unless_the_file_says_otherwise() -> None:
    """It asks nobody for a secret."""
    service = Service(app="a", name="web", listener=Listener(http=8080), preview=Preview(port=8081))
    assert preview(service, 7, "s3cret") == ("http://127.0.0.1:8081", {})


def test_a_secret_is_made_from_a_key_that_stays(tmp_path: Path) -> None:
    """The next controller makes the same, another release or service has another, and only the owner reads the key."""
    key = tmp_path / "preview.key"
    secret = Passes(key).of("a/web", 7)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert Passes(key).of("a/web", 7) == secret
    assert (
        len({secret, Passes(key).of("a/web", 8), Passes(key).of("a/api", 7), Passes(tmp_path / "other").of("a/web", 7)})
        == 4
    )
    assert len(secret) == 32
