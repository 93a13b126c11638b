"""What is kept of what a balancer says of itself."""

from pathlib import Path

from crossfade.platforms.local.balancers.process import Log


def test_a_log_that_grew_large_is_begun_anew_under_who_writes_it(tmp_path: Path) -> None:
    """It goes on at the new end: it appends, and nobody has to tell it."""
    log = Log(tmp_path / "envoy.log")
    log.begin_anew(10)
    with log.path.open("ab", buffering=0) as writer:
        writer.write(b"0123456789")
        log.begin_anew(10)
        assert log.size == 10
        writer.write(b"x")
        log.begin_anew(10)
        writer.write(b"new\n")
    assert log.after(0) == ["new"]
