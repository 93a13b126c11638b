"""The record, read from its end."""

from tests.unit.controller.site import Site, service

from crossfade.controller.record import history
from crossfade.engine.ports.journal import Event


async def test_the_newest_lines_of_one_app_are_found_among_many_of_others(site: Site) -> None:
    """As many as were asked for, however much happened elsewhere since."""
    async with site.controller() as control:
        await control.deploy(service("web"))
        own = len(site.kinds("shop/web"))
        lease = await site.journal.acquire("blog/db", "kim", 60.0)
        for number in range(50):
            told = Event(kind="store entered", service="blog/db", data={"by": str(number)})
            await site.journal.append(told, lease.token)

        def wanted(event: Event) -> bool:
            return event.service.startswith("shop")

        newest = [event async for event in history(site.journal, newest=2, wanted=wanted)]
        assert [event.service for event in newest] == ["shop/web"] * 2
        everything = [event async for event in history(site.journal, newest=own + 1000, wanted=wanted)]
        assert everything[-2:] == newest
        assert len(everything) == own
