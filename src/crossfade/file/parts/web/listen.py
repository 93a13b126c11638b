"""The listener: where visitors come in, and who stands before."""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, model_validator
from pydantic.json_schema import JsonSchemaValue

from crossfade.file.part import Clash, Part
from crossfade.file.parts.service import FILLED, Service
from crossfade.file.parts.web.route import PATH, PORT
from crossfade.file.units import Notation, Text

OWN = "own"  # the address by which the file calls a host
LISTENED = Text(r"[0-9A-Fa-f.:]{2,45}|own", "an IP address such as 127.0.0.1, or 0.0.0.0 for all")

HOST = Text(r"[a-z0-9-]+(\.[a-z0-9-]+)*", "a host name in lower-case letters, such as www.example.com")

NETWORKS: Mapping[str, tuple[str, ...]] = {
    "loopback": ("127.0.0.0/8", "::1/128"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
}


@dataclass(frozen=True)
class TrustedProxy(Notation):
    """An address, a network, or one of the words of `NETWORKS`."""

    def read(self, value: object) -> str:
        if isinstance(value, str):
            if value in NETWORKS:
                return value
            try:
                return str(ipaddress.ip_network(value))
            except ValueError:
                pass
        raise ValueError("an address such as 10.0.0.7, a network such as 10.0.0.0/8, loopback or private")

    def schema(self) -> JsonSchemaValue:
        return {"type": "string", "pattern": r"^(loopback|private|[0-9A-Fa-f.:]+(/[0-9]{1,3})?)$"}


def ranges(proxies: tuple[str, ...]) -> tuple[str, ...]:
    """As CIDRs, each once."""
    return tuple(dict.fromkeys(cidr for proxy in proxies for cidr in NETWORKS.get(proxy, (proxy,))))


class Listen(Part):
    """Where visitors come in. `listen: 8080` is short for `listen: {http: 8080}`."""

    http: Annotated[int, PORT] | None = Field(
        default=None, description="Port for HTTP. Default: 8080, or none when only `https` is given.", examples=[8080]
    )
    https: Annotated[int, PORT] | None = Field(
        default=None, description="Port for HTTPS; needs `tls`. Default: none.", examples=[8443]
    )
    trusted_proxies: tuple[Annotated[str, TrustedProxy()], ...] = Field(
        default=(),
        description=(
            "Who stands before this machine: a CDN, a load balancer, a proxy. What these say of a client in "
            "X-Forwarded-For, -Proto and -Host is believed, what others say is removed. `loopback` is this machine, "
            "`private` are the private networks."
        ),
        examples=[["loopback", "10.0.0.0/8"]],
    )
    proxy_protocol: bool = Field(
        default=False,
        strict=True,
        description=(
            "Each connection begins with the PROXY protocol, version 1 or 2, which says who the client is. With "
            "`trusted_proxies` others are not let in. Requests of our own and smoke hooks take `preview.port`."
        ),
        examples=[True],
    )
    host: Annotated[str, LISTENED] = Field(
        default="0.0.0.0",  # noqa: S104 - a web application is there to be reached; the file can say otherwise
        description="Address of the machine to listen on; 0.0.0.0 is all of them. With `platform: hosts`, `own` is the "
        "one by which the file calls each host.",
        examples=["127.0.0.1"],
    )

    @model_validator(mode="before")
    @classmethod
    def _from_port(cls, data: Any) -> Any:
        if isinstance(data, int) and not isinstance(data, bool):
            data = {"http": data}
        if isinstance(data, dict) and data.get("http") is None and data.get("https") is None:
            data = {**data, "http": 8080}
        return data

    def impossible(self) -> Iterator[Clash]:
        if self.http == self.https:
            yield Clash(("https",), f"{self.https} for both http and https", "two different ports")


def closed_to_us(listen: Listen, services: Mapping[str, Service]) -> Iterator[Clash]:
    """Services whose new release nobody could ask: our requests and those of hooks come from this machine, and are not
    announced as what stands before it announces its own.
    """
    for name, service in services.items() if listen.proxy_protocol else ():
        asked = service.hooks.smoke is not None or service.deploy.inconclusive == "probe"
        if service.kind == "web" and service.preview.port is None and asked:
            yield Clash(
                ("listen", "proxy_protocol"),
                f"proxy_protocol, by which a smoke hook and requests of our own do not come in to services.{name}",
                "preview: {port: 8081} there, or no smoke hook and deploy: {inconclusive: hold}",
            )


class Tls(Part):
    """Your certificate for `listen.https`."""

    certificate: Annotated[str, FILLED] = Field(
        description="PEM file with the certificate and its chain.", examples=["tls/fullchain.pem"]
    )
    key: Annotated[str, FILLED] = Field(description="PEM file with the private key.", examples=["tls/privkey.pem"])
    redirect: bool = Field(
        default=True, strict=True, description="Answers HTTP with a redirect to HTTPS.", examples=[False]
    )
    redirect_except: tuple[Annotated[str, PATH], ...] = Field(
        default=(),
        description="Paths that are answered over HTTP too, such as the health check of a load balancer before.",
        examples=[["/health", "/.well-known/acme-challenge/*"]],
    )
