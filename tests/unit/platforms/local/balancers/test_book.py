"""What a balancer was told, and the way from one routing to the next."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.contract.balancer_kits import routing

from crossfade.core.errors import StaleTokenError
from crossfade.core.routing import Routing
from crossfade.core.service import HealthCheck, Names, Peer, Service, Sticky
from crossfade.platforms.local.balancers import book
from crossfade.platforms.local.balancers.envoy.clusters import assignments

WEB = Service(app="shop", name="web", sticky=Sticky(cookie="id", ttl=60))
ADDRESSES = {"a": "127.0.0.1:1", "b": "127.0.0.1:2", "c": "127.0.0.1:3"}


def entry(asked: Routing, old: book.Entry | None = None, token: int = 1, service: Service = WEB) -> book.Entry:
    return book.enter(old, service=service, routing=asked, addresses=ADDRESSES, token=token, checks={})


def test_a_book_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Every field survives the file; no file is an empty book."""
    written = book.RoutingBook().with_entry(entry(routing({1: 90, 2: 10}, {1: "a b", 2: "c"}, draining="b", preview=2)))
    assert book.load(tmp_path / "book.json") == (book.RoutingBook(), ())
    book.save(tmp_path / "book.json", written)
    assert book.load(tmp_path / "book.json") == (written, ())
    assert written.without("shop/web") == book.RoutingBook()


@pytest.mark.parametrize("spoilt", [b"{", b"", b"\0" * 64, b"\xff", b'{"entries": 3}'])
def test_a_book_that_cannot_be_read_is_set_aside(spoilt: bytes, tmp_path: Path) -> None:
    """It is kept for who wants to look, it is said, and the one before it counts, if there was one."""
    path = tmp_path / "book.json"
    one = book.RoutingBook().with_entry(entry(routing({1: 100}, {1: "a"})))
    for before, left in ((book.RoutingBook(), ()), (one, (one, one.with_entry(entry(routing({1: 100}, {1: "b"})))))):
        for each in left:
            book.save(path, each)
        path.write_bytes(spoilt)
        found, (said,) = book.load(path)
        assert found == before
        assert "is set aside as book.json.damaged" in said
        assert (tmp_path / "book.json.damaged").read_bytes() == spoilt
        assert book.load(path) == (book.RoutingBook(), ())


def test_nothing_comes_back_of_what_was_taken_down(tmp_path: Path) -> None:
    """With the last service goes the book in which it was: one that cannot be read would bring it back."""
    path = tmp_path / "book.json"
    one = book.RoutingBook().with_entry(entry(routing({1: 100}, {1: "a"})))
    book.save(path, one)
    book.save(path, one.without("shop/web"))
    assert [left.name for left in tmp_path.iterdir()] == ["book.json"]
    path.write_bytes(b"{")
    assert book.load(path)[0] == book.RoutingBook()


def test_names_of_the_other_services_are_not_kept() -> None:
    """Of hundreds each has all: the book, which is written at each change, would grow with their square."""
    peers = tuple(Peer(name=f"s{n}", port=80) for n in range(500))
    made = entry(routing({1: 100}, {1: "a"}), service=replace(WEB, names=Names(peers=peers)))
    assert made.same(entry(routing({1: 100}, {1: "a"})))


def test_an_older_token_than_the_entrys_is_refused() -> None:
    """The book remembers who wrote last even where the fence forgot."""
    old = entry(routing({1: 100}, {1: "a"}), token=5)
    with pytest.raises(StaleTokenError):
        entry(routing({1: 100}, {1: "a"}), old, token=4)
    assert entry(routing({1: 100}, {1: "a"}), old, token=6).same(old)


def test_a_target_group_keeps_the_settings_it_began_with() -> None:
    """A new release's health check is its own; the old group is not made anew by it."""
    changed = Service(app="shop", name="web", health=HealthCheck(path="/new"))
    old = entry(routing({1: 100}, {1: "a"}))
    new = entry(routing({1: 100}, {1: "a", 2: "b"}), old, service=changed)
    assert new.made(1) == WEB
    assert new.made(2) == changed


def test_from_one_routing_to_the_next_nobody_is_missing() -> None:
    """New instances come first, then requests go to them, then the old ones drain."""
    old = entry(routing({1: 100}, {1: "a b"}))
    new = entry(routing({2: 100}, {1: "a b", 2: "c"}, draining="a b"), old)
    prepared, switched, settled = book.stages(old, new)
    assert prepared.routing == routing({1: 100}, {1: "a b", 2: "c"})
    assert switched.routing == routing({2: 100}, {1: "a b", 2: "c"})
    assert settled == new


def test_what_clients_see_of_a_switch_is_one_change_of_routes() -> None:
    """Who stands in for whom is told before it, so that a script is looked for on both sides from the first moment."""
    old = entry(routing({1: 100}, {1: "a", 2: "c"}, preview=2))
    prepared, switched, settled = book.stages(old, entry(routing({2: 100}, {1: "a", 2: "c"}), old))
    assert assignments(switched) == assignments(prepared)
    for stage in (prepared, switched):
        backed = {of: [group.release for group in stage.stand_ins(of)] for of in (1, 2)}
        assert backed == {1: [2], 2: [1]}
    assert [group.release for group in settled.stand_ins(2)] == [1]


def test_a_release_that_goes_on_in_preview_backs_nobody_in_a_change() -> None:
    """Also not the one that is taken back without ever having had a share."""
    for preview in (2, None):
        old = entry(routing({1: 100}, {1: "a", 2: "c"}, preview=2))
        new = entry(routing({1: 100}, {1: "a b", 2: "c"}, preview=preview, draining="" if preview else "c"), old)
        assert [stage.stand_ins(1) for stage in book.stages(old, new)[:2]] == [(), ()]


def test_nobody_stands_in_for_a_release_in_its_preview() -> None:
    """The old release would pass the smoke test of the new one. Clients of the same release are stood in for."""
    canary = entry(routing({1: 90, 2: 10}, {1: "a", 2: "c"}, preview=2))
    found = {cluster: len(assignment["endpoints"]) for cluster, assignment in assignments(canary).items()}
    expected = {"shop/web/1": 2, "shop/web/2": 2, "shop/web/2/preview": 1}
    streams = {f"{cluster}/streams": number for cluster, number in expected.items()}
    assets = {"shop/web/1/assets": 2, "shop/web/2/assets": 2}  # the service is sticky
    assert found == expected | streams | assets


def test_a_release_has_its_preview_until_it_goes() -> None:
    """Who was led there may still be there: it is left to the end of the release, or of the balancer's process."""
    both = {1: "a", 2: "c"}
    began = entry(routing({1: 100}, {1: "a"}))
    shown = entry(routing({1: 100}, both, preview=2), began)
    over = entry(routing({1: 100}, both), shown)
    assert [made.shown for made in (began, shown, over)] == [(), (2,), (2,)]
    gone = entry(routing({1: 100}, {1: "a"}), over)
    assert [stage.shown for stage in book.stages(over, gone)] == [(2,), (2,), ()]
    assert [stage.shown for stage in book.stages(began, shown)] == [(2,), (2,), (2,)]
    anew = book.RoutingBook().with_entry(over).afresh().entries["shop/web"]
    assert not anew.has_preview(2)
    still = book.RoutingBook().with_entry(shown).afresh().entries["shop/web"]
    assert (still.has_preview(1), still.has_preview(2)) == (False, True)


def test_an_instance_that_left_stays_until_nobody_is_sent_to_it() -> None:
    """It is in both steps before the last, with its address."""
    old = entry(routing({1: 100}, {1: "a b"}, draining="b"))
    new = entry(routing({1: 100}, {1: "c"}), old)
    prepared, switched, settled = book.stages(old, new)
    assert prepared.routing == switched.routing == routing({1: 100}, {1: "a b c"}, draining="b")
    assert prepared.address("a") == ADDRESSES["a"]
    assert settled.routing.registered() == {"c"}


def test_a_first_routing_is_not_exposed_before_its_instances_are_there() -> None:
    """Clients of a first deploy are refused rather than told that nobody serves."""
    prepared, switched, _ = book.stages(None, entry(routing({1: 100}, {1: "a"})))
    assert (prepared.exposed, switched.exposed) == (False, True)
