"""The address that the hosts' port 22 is opened for: whoever deploys says it, or somebody is asked."""

import pytest

from crossfade.cli.hosts.cloud import ADDRESS, ASKED, _address, _cidr
from crossfade.core.errors import WrongInputError


def test_it_is_the_one_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one address or of a network, in the fourth or the sixth version."""
    known = {"203.0.113.7": "203.0.113.7/32", "10.1.0.0/16": "10.1.0.0/16", "2001:db8::1": "2001:db8::1/128"}
    for said, cidr in known.items():
        monkeypatch.setenv(ADDRESS, said)
        assert _address() == cidr


@pytest.mark.parametrize("source", [ADDRESS, ASKED])
def test_what_is_none_is_told_with_who_said_it(source: str) -> None:
    """A proxy that answers in place of who was asked is not taken for a variable that nobody has set."""
    with pytest.raises(WrongInputError, match=f'^{source}: found "<html>"\n.*set {ADDRESS} to an address'):
        _cidr("<html>", source)


@pytest.mark.parametrize("everybody", ["0.0.0.0/0", "::/0"])
def test_port_22_is_never_opened_for_everybody(everybody: str) -> None:
    """Not for a moment, and whoever says so."""
    with pytest.raises(WrongInputError, match=f"{ADDRESS}: {everybody} is everybody"):
        _cidr(everybody, ADDRESS)
