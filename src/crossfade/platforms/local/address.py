"""The address of an instance on this machine: `host:port`, or `unix:PATH` of the socket that it listens on."""

_UNIX = "unix:"
SOCKETS = "sockets"  # the folder in the balancer's directory where instances make theirs


def of_socket(path: str) -> str:
    return f"{_UNIX}{path}"


def socket_of(address: str) -> str:
    """The socket's path; empty when it is a port."""
    return address.removeprefix(_UNIX) if address.startswith(_UNIX) else ""


def near(address: str) -> str:
    """The socket as the balancer names it, which works in the folder above: `sockets/4f1c9a02`; empty for a port.

    So its path is short, wherever the state directory is, and who may enter that folder need not enter all above it.
    """
    path = socket_of(address)
    return f"{SOCKETS}/{path.rpartition('/')[2]}" if path else ""


def host_of(address: str) -> str:
    """The Host of a request to it, where the file names none."""
    return "localhost" if socket_of(address) else address
