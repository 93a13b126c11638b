"""The gRPC under Envoy's discovery."""

from pathlib import Path
from typing import Any

from crossfade.platforms.local.balancers.envoy.xds.grpc import GrpcServer


async def test_it_ends_although_somebody_is_just_being_let_in(tmp_path: Path) -> None:
    """Between accepting and the connection lies a turn of the loop: who ends it then must not fail half way."""

    async def converse(_: Any) -> None:
        """Nothing is said."""

    server = GrpcServer(converse)
    await server.start(path=str(tmp_path / "s"))
    accepted = server._protocol_factory()
    await server.end()
    assert not hasattr(accepted, "connection")
