"""Where the API is listened for: opened anew when somebody deletes it, and gone once the controller stops."""

from pathlib import Path

from aiohttp import web
from tests.adapters.until import until

from crossfade.controller.api.listening import reachable
from crossfade.controller.supervisor import Supervisor
from crossfade.engine.clock import SystemClock


async def test_a_deleted_socket_is_opened_anew_until_the_controller_stops(tmp_path: Path) -> None:
    """Deleted by somebody it comes back; taken away by a controller that stops, nobody opens it behind its back."""
    socket, supervisor = tmp_path / "api.sock", Supervisor(SystemClock())
    runner = web.AppRunner(web.Application())
    await runner.setup()
    try:
        async with reachable(supervisor, runner, socket):
            await until(socket.exists)
            socket.unlink()
            await until(socket.exists)
            assert supervisor.runs("the socket of the API")
        assert not socket.exists()
        assert not supervisor.runs("the socket of the API")
    finally:
        await supervisor.close()
        await runner.cleanup()
