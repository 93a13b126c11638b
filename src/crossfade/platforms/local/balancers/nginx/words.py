"""The words of nginx's configuration: blocks, quotes, names."""

from collections.abc import Iterable


def upstream(key: str, release: int) -> str:
    """The name of a target group: `shop.web.7`; a slash would end the host in a URL."""
    return f"{key.replace('/', '.')}.{release}"


def block(head: str, lines: Iterable[str]) -> str:
    """`head { lines }`."""
    return "\n".join([f"{head} {{", *lines, "}"])


def quoted(text: str) -> str:
    """As nginx reads it back, where it does not look for variables."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def literal(text: str) -> str:
    """The same where it does."""
    return quoted(text).replace("$", "${cf_dollar}")
