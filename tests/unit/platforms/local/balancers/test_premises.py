"""A directory that another kind of balancer left is no directory of this one."""

from pathlib import Path

import pytest

from crossfade.core.errors import RefusedError
from crossfade.platforms.local.balancers.premises import move_in


def test_what_another_kind_left_is_kept_beside_it(tmp_path: Path) -> None:
    """Its counts and logs have another form. Coming back finds an empty directory, too: totals do not go on."""
    home = tmp_path / "balancer"
    move_in(home, "envoy")
    (home / "counts.json").write_text("{}")
    move_in(home, "envoy")
    assert (home / "counts.json").exists()
    move_in(home, "nginx")
    assert not (home / "counts.json").exists()
    assert (tmp_path / "balancer.envoy" / "counts.json").exists()
    (home / "counts.json").write_text("{}")
    move_in(home, "envoy")
    assert [path.name for path in home.iterdir()] == ["kind"]


def test_nobody_is_moved_out_who_serves(tmp_path: Path) -> None:
    """Its process has the ports."""
    home = tmp_path / "balancer"
    move_in(home, "envoy")
    (home / "book.json").write_text('{"entries": {"shop/web": {}}}')
    with pytest.raises(RefusedError, match="services are still behind envoy"):
        move_in(home, "nginx")
    assert (home / "book.json").exists()


def test_a_directory_of_an_earlier_crossfade_is_taken_as_it_is(tmp_path: Path) -> None:
    """It does not say whose it is; whoever starts there was started there before."""
    home = tmp_path / "balancer"
    home.mkdir()
    (home / "book.json").write_text('{"entries": {"shop/web": {}}}')
    move_in(home, "nginx")
    assert (home / "book.json").exists()


def test_a_damaged_word_of_whose_it_is_is_no_word(tmp_path: Path) -> None:
    """A power cut left it so; what serves is found, and gone on with."""
    home = tmp_path / "balancer"
    move_in(home, "envoy")
    (home / "book.json").write_text('{"entries": {"shop/web": {}}}')
    (home / "kind").write_bytes(b"\xff\x00")
    move_in(home, "envoy")
    assert (home / "kind").read_text() == "envoy\n"
    assert (home / "book.json").exists()
