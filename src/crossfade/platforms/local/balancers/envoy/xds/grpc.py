"""The gRPC under Envoy's discovery, in Python alone: grpcio would be ten more megabytes in every controller."""

from collections.abc import Awaitable, Callable
from typing import Any
from weakref import WeakSet

from grpclib.const import Cardinality, Handler
from grpclib.encoding.base import CodecBase
from grpclib.protocol import H2Protocol
from grpclib.server import Server

from crossfade.platforms.local.balancers.envoy.xds import messages

_PATH = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"


class _Codec(CodecBase):
    """Protobuf on the wire, and our own nouns beside it."""

    __content_subtype__ = "proto"

    def encode(self, message: Any, message_type: Any) -> bytes:  # noqa: ARG002  the signature is theirs
        return messages.written(message)

    def decode(self, data: bytes, message_type: Any) -> Any:  # noqa: ARG002  as above
        return messages.read(data)


class _Service:
    def __init__(self, converse: Callable[[Any], Awaitable[None]]) -> None:
        self._converse = converse

    def __mapping__(self) -> dict[str, Handler]:
        return {_PATH: Handler(self._converse, Cardinality.STREAM_STREAM, None, None)}


class GrpcServer(Server):
    """A server that has `converse` hold each stream."""

    def __init__(self, converse: Callable[[Any], Awaitable[None]]) -> None:
        super().__init__([_Service(converse)], codec=_Codec())
        self._protocols: WeakSet[H2Protocol] = WeakSet()

    def _protocol_factory(self) -> H2Protocol:
        protocol = super()._protocol_factory()
        self._protocols.add(protocol)
        return protocol

    async def end(self) -> None:
        """Answer no more, and leave nobody a connection on which nobody answers."""
        self.close()
        for protocol in self._protocols:
            if hasattr(protocol, "connection"):  # else it has just been accepted, and nothing was asked yet
                protocol.connection.close()
        await self.wait_closed()
