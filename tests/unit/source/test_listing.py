"""Which files belong to a source that came from another machine."""

from pathlib import Path

import pytest

from crossfade.core.errors import PlatformError
from crossfade.source.listing import MARK, listing
from crossfade.source.whole import WholeSource


@pytest.mark.parametrize("text", ["{", "[1]", "[" * 100_000])
def test_a_mark_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    """Half of one, another one, and brackets by the thousand."""
    (tmp_path / MARK).parent.mkdir()
    (tmp_path / MARK).write_text(text)
    with pytest.raises(PlatformError, match=f"{MARK} is damaged"):
        listing(WholeSource.of(tmp_path))
