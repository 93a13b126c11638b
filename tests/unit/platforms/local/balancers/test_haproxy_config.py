"""haproxy.cfg, where no request can show what it says."""

import re
from dataclasses import replace

from crossfade.core.routing import Routing, TargetGroup
from crossfade.core.service import Listener, Service
from crossfade.platforms.local.balancers.book import Entry
from crossfade.platforms.local.balancers.haproxy.config import render
from crossfade.platforms.local.balancers.haproxy.slots import Slots

WEB = Service(app="shop", name="web", listener=Listener(http=8080))


def config(service: Service) -> str:
    routing = Routing(groups=(TargetGroup(release=1, registered=("a",)),), weights=((1, 1),))
    made = {"routing": routing, "addresses": (("a", "127.0.0.1:1"),), "token": 1, "made_of": ((1, service),)}
    slots = Slots().with_releases(service.key, [1])
    return render({service.key: Entry(service=service, **made)}, slots, {}, {service.key: "0"}, shutdown=60)[
        "haproxy.cfg"
    ]


def test_a_request_finds_its_release_though_shares_end_between_its_looks() -> None:
    """By the service, then by the number it drew, and where that is gone meanwhile once more by the service."""
    looks = re.findall(r"set-var\(txn.to\) var\(txn.svc\)(\S*),map\(routes.map\) if !", config(WEB))
    assert looks == ["", ",concat(:,txn.draw)", ""]


def test_uris_are_kept_whole_for_an_access_log_alone() -> None:
    """Nothing else reads them, and each costs every request."""
    assert "tune.http.logurilen" in config(WEB)
    assert "tune.http.logurilen" not in config(replace(WEB, listener=replace(WEB.listener, access_log=True)))
