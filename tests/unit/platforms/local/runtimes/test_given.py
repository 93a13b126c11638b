"""Values that a machine was given for secrets: kept for the next release, by its owner alone."""

import asyncio
import stat
from pathlib import Path

import pytest

from crossfade.core.errors import PlatformError
from crossfade.core.service import Service
from crossfade.engine.clock import SystemClock
from crossfade.platforms.local.runtimes.given import GivenSecrets


def test_a_value_is_there_for_whoever_names_it(tmp_path: Path) -> None:
    """The newest of each; of an app's own alone; and only when it was given is told."""
    given = GivenSecrets(tmp_path, SystemClock())
    given.give("shop", "TOKEN", "one")
    given.give("shop", "TOKEN", "two")
    given.give("other", "KEY", "three")
    web = Service(app="shop", name="web", secrets=("TOKEN", "KEY"))
    assert asyncio.run(GivenSecrets(tmp_path, SystemClock()).of(web)) == {"TOKEN": "two"}
    assert list(given.known("shop")) == ["TOKEN"]
    assert given.known("nothing") == {}
    assert stat.S_IMODE((tmp_path / "given" / "shop.json").stat().st_mode) == 0o600


def test_what_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "shop.json").write_text("{")
    with pytest.raises(PlatformError, match="the secrets given to shop cannot be read"):
        GivenSecrets(tmp_path, SystemClock()).known("shop")
