"""The values of secrets on disk: by release, for their owner alone, and named by what says nothing of them."""

import shutil
import stat
from pathlib import Path

import pytest

from crossfade.core.errors import PlatformError
from crossfade.core.release import Release
from crossfade.core.service import Service
from crossfade.platforms.local.runtimes.secrets import SecretStore

KEY = "shop/web"


def release(mark: str) -> Release:
    service = Service(app="shop", name="web", secrets=("TOKEN",))
    return Release(number=3, service=service, version="v3", digest="d", config_hash="c", secrets=mark)


def test_each_release_has_its_own_values(tmp_path: Path) -> None:
    """Two sets lie beside each other, and one that is forgotten leaves the other."""
    store = SecretStore(tmp_path)
    one, two = store.save(KEY, {"TOKEN": "s3same"}), store.save(KEY, {"TOKEN": "0pen"})
    assert SecretStore(tmp_path).of(release(one)) == {"TOKEN": "s3same"}
    store.forget(one)
    store.forget(one)
    assert store.of(release(two)) == {"TOKEN": "0pen"}
    with pytest.raises(PlatformError, match=r"the secrets of release 3 \(v3\) of shop/web cannot be read"):
        store.of(release(one))


def test_a_mark_is_the_same_for_the_same_values_alone(tmp_path: Path) -> None:
    """Of one service in one state directory: elsewhere the same value has another mark."""
    store, other = SecretStore(tmp_path / "one"), SecretStore(tmp_path / "two")
    mark = store.mark(KEY, {"A": "1", "B": "2"})
    assert mark == SecretStore(tmp_path / "one").mark(KEY, {"B": "2", "A": "1"})
    assert len({mark, store.mark("shop/api", {"A": "1", "B": "2"}), other.mark(KEY, {"A": "1", "B": "2"})}) == 3
    assert store.mark(KEY, {}) == ""


def test_nobody_else_can_read_them(tmp_path: Path) -> None:
    """Files 0600 in folders 0700, whatever the umask is."""
    store = SecretStore(tmp_path / "secrets")
    store.save(KEY, {"TOKEN": "s3same"})
    paths = [tmp_path / "secrets", *(tmp_path / "secrets").rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()} == {0o700}


def test_a_folder_that_was_deleted_is_made_anew(tmp_path: Path) -> None:
    """By hand, while the controller runs: a shell that brings the values can deploy again."""
    store = SecretStore(tmp_path / "secrets")
    store.save("shop/web", {"TOKEN": "a"})
    shutil.rmtree(tmp_path / "secrets")
    assert len(store.save("shop/web", {"TOKEN": "a"})) == 32
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700


def test_values_kept_by_app_are_still_read(tmp_path: Path) -> None:
    """As 0.1 wrote them; an app without any has none."""
    (tmp_path / "shop.json").write_text('{"TOKEN": "s3same"}')
    assert SecretStore(tmp_path).of(release("")) == {"TOKEN": "s3same"}
    assert SecretStore(tmp_path / "new").of(release("")) == {}
