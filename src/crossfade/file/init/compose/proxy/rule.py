"""Traefik's rules: what a request has to be, with && and || and brackets, as alternatives that each stand alone."""

import re
from collections.abc import Iterator

_TOKEN = re.compile(r"\s*(&&|\|\||[()]|!?\s*[A-Za-z]+\((?:`[^`]*`|\"[^\"]*\"|'[^']*'|[^)`\"'])*\)|!)")
_MOST = 64  # alternatives; more are not told apart


def alternatives(rule: str) -> list[str]:
    """Host(`a`) && (Path(`/x`) || Path(`/y`)) is Host(`a`) && Path(`/x`), or Host(`a`) && Path(`/y`)."""
    words = list(_words(rule))
    try:
        found, rest = _any_of(words)
    except (IndexError, RecursionError):  # a bracket that is not closed, or more of them than a rule has
        return [rule]
    whole = not rest and 0 < len(found) <= _MOST
    return [" && ".join(one) for one in found] if whole else [rule]


def _words(rule: str) -> Iterator[str]:
    at = 0
    while match := _TOKEN.match(rule, at):
        yield match[1]
        at = match.end()
    if rule[at:].strip():
        yield rule[at:].strip()  # no rule of Traefik's: it stays as it is


def _any_of(words: list[str]) -> tuple[list[list[str]], list[str]]:
    found, rest = _all_of(words)
    while rest and rest[0] == "||":
        more, rest = _all_of(rest[1:])
        found += more
    return found, rest


def _all_of(words: list[str]) -> tuple[list[list[str]], list[str]]:
    found, rest = _one(words)
    while rest and rest[0] == "&&":
        more, rest = _one(rest[1:])
        found = [[*left, *right] for left in found for right in more][: _MOST + 1]
    return found, rest


def _one(words: list[str]) -> tuple[list[list[str]], list[str]]:
    if words[0] == "(":
        found, rest = _any_of(words[1:])
        return found, rest[1:] if rest[0] == ")" else rest
    if words[0] == "!":  # of a bracket: not told apart any further
        inside, rest = _one(words[1:])
        return [[f"!({' || '.join(' && '.join(one) for one in inside)})"]], rest
    return [[words[0]]], words[1:]
