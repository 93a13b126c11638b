"""Two services on the ports of one machine."""

from dataclasses import replace

import pytest

from crossfade.core.service import Listener, Preview, Rule, Service, Tls
from crossfade.strategies.several.clash import Tenants, clash

PAIR = Tls(certificate="/c.pem", key="/k.pem")
WEB = Service(app="ren", name="web", listener=Listener(http=8080))
SITE = replace(WEB, name="site")


def at(**listener: object) -> Listener:
    return replace(WEB.listener, **listener)  # type: ignore[arg-type]  any field of it


@pytest.mark.parametrize(
    ("new", "held", "cause"),
    [
        (SITE, WEB, "ren/site and ren/web both ask for host * path /* on port 8080"),
        (
            replace(SITE, routes=(Rule(path="/a"), Rule(host="A.example", path="/b"))),
            replace(WEB, routes=(Rule(host="a.Example", path="/b"),)),
            "ren/site and ren/web both ask for host A.example path /b on port 8080",
        ),
        (replace(SITE, preview=Preview(port=8080)), WEB, "port 8080 of ren/site is already used by ren/web"),
        (
            replace(SITE, listener=at(http=None, https=8080, tls=PAIR)),
            WEB,
            "port 8080 cannot be https for one and http for the other: ren/site, ren/web",
        ),
        (
            replace(SITE, listener=at(host="127.0.0.1")),
            WEB,
            "port 8080 is opened at 0.0.0.0 by ren/web and at 127.0.0.1 by ren/site",
        ),
        (
            replace(SITE, listener=at(trusted_proxies=("10.0.0.0/8",))),
            WEB,
            "port 8080 trusts other proxies for ren/web than for ren/site",
        ),
    ],
)
def test_who_cannot_share_a_port(new: Service, held: Service, cause: str) -> None:
    """Both are named, with what both ask for."""
    found = clash(new, held)
    assert found is not None
    assert found.cause == cause
    assert Tenants([held]).clash(new) == (found, held)


@pytest.mark.parametrize(
    "new",
    [
        replace(SITE, listener=at(http=8081)),
        replace(SITE, routes=(Rule(path="/site/*"),)),
        replace(SITE, routes=(Rule(host="site.example"),)),
    ],
)
def test_another_port_path_or_host_is_enough(new: Service) -> None:
    """Another port, another path or another host is enough."""
    assert clash(new, WEB) is None
    assert Tenants([WEB]).clash(new) is None


def test_of_many_tenants_the_one_in_the_way_is_named() -> None:
    """As if each had been compared with the new one."""
    many = [replace(WEB, name=f"s{n}", routes=(Rule(path=f"/s{n}/*"),)) for n in range(20)]
    many.append(replace(WEB, name="other", listener=at(http=8081, host="127.0.0.1")))
    tenants = Tenants(many)
    assert tenants.clash(replace(SITE, routes=(Rule(path="/free"), Rule(path="/s7/*")))) == (
        clash(replace(SITE, routes=(Rule(path="/s7/*"),)), many[7]),
        many[7],
    )
    assert tenants.clash(replace(SITE, listener=at(http=8081))) is not None
    assert tenants.clash(replace(SITE, routes=(Rule(path="/free"),))) is None
    assert tenants.clash(replace(many[7], env=(("A", "b"),))) is None
