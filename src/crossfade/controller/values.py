"""The values of secrets that a release is deployed with, and that go when nothing can be started with them any more."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from crossfade.controller.order import Shell
from crossfade.controller.registry import LoopRegistry
from crossfade.core.errors import CrossfadeError, WrongInputError
from crossfade.core.service import Service
from crossfade.engine.ledger import Ledger
from crossfade.engine.ports.journal import Event
from crossfade.engine.ports.secrets import Secrets

Kept = Callable[[Service], Awaitable[Mapping[str, str]]]
"""The values of a service's secrets where the platform keeps them; empty where it keeps none."""


WHERE = "set what is missing in the shell of `crossfade deploy`, or in .env beside the file"


def no_value(names: Sequence[str], whose: str, lacking: Mapping[str, str] | None = None) -> str:
    """Which secrets of somebody have none, and which variables those `lacking` them are made of."""
    made_of = lacking or {}
    said = [f"{name} (made of {made_of[name]})" if name in made_of else name for name in names]
    return f"no value for the secret{'s' * (len(names) > 1)} {', '.join(said)} of {whose}"


async def nothing_kept(_: Service) -> Mapping[str, str]:
    return {}


class Values:
    """Chooses, keeps and removes the values of releases' secrets."""

    def __init__(self, registry: LoopRegistry, secrets: Secrets, kept: Kept = nothing_kept) -> None:
        self._registry = registry
        self._secrets = secrets
        self._kept = kept

    async def of_all(self, services: Sequence[Service], shell: Shell) -> dict[str, dict[str, str]]:
        """By service what it names: as the platform keeps it, else as the shell gave it, its last release or another
        of the app had it.

        WrongInputError that names every one that is in none of them.
        """
        known: dict[str, Mapping[str, str]] = {}
        refused: list[WrongInputError] = []
        for service in services:
            try:
                kept = await self._kept(service)
            except WrongInputError as error:
                refused.append(error)
                continue
            given = {**shell.secrets, **shell.secrets_of.get(service.key, {}), **kept}
            known[service.key] = self._known(service, given)
        if refused:
            raise WrongInputError("; ".join(error.cause for error in refused), refused[0].way_out)
        missing = {
            service.key: [name for name in service.secrets if name not in known[service.key]] for service in services
        }
        if any(missing.values()):
            said = [no_value(names, key, shell.lacking.get(key)) for key, names in missing.items() if names]
            raise WrongInputError("; ".join(said), WHERE)
        return {service.key: {name: known[service.key][name] for name in service.secrets} for service in services}

    def _known(self, service: Service, given: Mapping[str, str]) -> Mapping[str, str]:
        if not service.secrets:
            return given
        others = [loop.ledger for loop in self._registry.of(service.home) if loop.key != service.key]
        known = dict(given)
        for ledger in (self._registry.ledger(service.key), *others):
            known = {**self._of(ledger), **known}
        return known

    def mark(self, service: Service, values: Mapping[str, str]) -> str:
        return self._secrets.mark(service.key, values)

    def marked(self, ledger: Ledger) -> Ledger:
        """The ledger with a mark on what runs also where its values were kept by app, as in 0.1: to compare with."""
        runs = None if ledger.current is None else ledger.release(ledger.current)
        if runs is None or runs.secrets or not runs.service.secrets:
            return ledger
        known = self._secrets.of(runs)
        mark = self._secrets.mark(ledger.service, {n: known[n] for n in runs.service.secrets if n in known})
        return replace(
            ledger, releases=tuple(replace(r, secrets=mark) if r.number == runs.number else r for r in ledger.releases)
        )

    def keep(self, service: Service, values: Mapping[str, str]) -> None:
        """Written before the release is on record: what is on record can be started."""
        self._secrets.save(service.key, values)

    def tell(self, event: Event) -> None:
        """When a release's artifact went, its values go, unless another release that can be started has the same."""
        if event.kind != "artifact removed":
            return
        ledger = self._registry.ledger(event.service)
        gone = ledger.release(event.data["release"]).secrets
        if gone and not any(r.secrets == gone and r.number not in ledger.removed_artifacts for r in ledger.releases):
            self._secrets.forget(gone)

    def _of(self, ledger: Ledger) -> Mapping[str, str]:
        """Of what runs, else of what was deployed last; values that are lost have to be given again."""
        newest = ledger.releases[-1] if ledger.releases else None
        release = newest if ledger.current is None else ledger.release(ledger.current)
        try:
            return self._secrets.of(release) if release else {}
        except CrossfadeError:
            return {}
