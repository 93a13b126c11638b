"""A seat for a person's command: given over the unix socket, and to nobody on a network."""

from pathlib import Path
from typing import Any

import aiohttp
from tests.support.ports import free_port
from tests.unit.controller.site import Site
from tests.unit.controller.test_workers import MAILER

from crossfade.controller.api.hub import Hub
from crossfade.controller.api.listening import serve
from crossfade.controller.api.server import Api

TOKEN = "sesame"


def _stays(_: bool) -> None: ...


async def test_values_of_secrets_are_given_to_nobody_on_a_network(site: Site, tmp_path: Path) -> None:
    """Not for the token either, which may order deploys: it would give the values of every secret away."""
    wanted = {"app": "shop", "words": ["env"], "by": "kim"}
    port = free_port()
    async with site.controller() as control:
        await control.deploy(MAILER)
        api = Api(control.orders, Hub(), _stays, TOKEN)
        runner = await serve(api, tmp_path / "s", ("127.0.0.1", port))
        try:
            far = await _ask(None, f"http://127.0.0.1:{port}", wanted)
            near = await _ask(str(tmp_path / "s"), "http://crossfade", wanted)
        finally:
            await runner.cleanup()
    assert (far[0], far[1]["error"]["cause"]) == (409, "commands can be run on the machine itself only")
    assert (near[0], near[1]["env"]["CROSSFADE_RELEASE"]) == (200, "1")


async def _ask(socket: str | None, url: str, body: Any) -> tuple[int, Any]:
    connector = aiohttp.UnixConnector(path=socket) if socket else None
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        aiohttp.ClientSession(connector=connector, headers=headers) as session,
        session.post(f"{url}/v1/seat", json=body) as answer,
    ):
        return answer.status, await answer.json()
