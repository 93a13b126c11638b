"""A deploy of what runs already is no change, whoever recorded it."""

from dataclasses import replace

import pytest
from tests.unit.controller.site import Site, service

from crossfade.core.errors import UnchangedError


async def test_what_an_earlier_version_deployed_is_no_change_to_a_later_one(site: Site) -> None:
    """It knew less of a service, and so had another hash of it; what the file does not ask for changes nothing."""
    async with site.controller() as control:
        await control.deploy(service())
    for index, event in enumerate(site.journal.events):
        if event.kind == "release created":
            recorded = event.data["release"]
            known = {key: value for key, value in recorded["service"].items() if key != "dumped"}
            data = {"release": {**recorded, "service": known, "config_hash": "0123456789ab"}}
            site.journal.events[index] = replace(event, data=data)
    async with site.controller() as control:
        with pytest.raises(UnchangedError, match=r"release 1 .* already runs exactly this"):
            await control.deploy(service())
        loop = await control.deploy(service(env=(("V", "2"),)))
        assert loop.ledger.current == 2
