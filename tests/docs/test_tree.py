"""The tree explains itself: no file that one does not read at once, no folder that one does not see at once."""

from pathlib import Path

import crossfade

SOURCE = Path(crossfade.__file__).parent
LINES, MODULES = 350, 15


def test_no_file_is_longer_than_one_reads_at_once() -> None:
    """At most 350 lines."""
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCE.rglob("*.py")}
    assert lengths
    assert {str(path): length for path, length in lengths.items() if length > LINES} == {}


def test_no_folder_holds_more_than_one_sees_at_once() -> None:
    """At most 15 modules beside its own `__init__`; what is more has a group that can be named."""
    folders = {path.parent for path in SOURCE.rglob("*.py")}
    modules = {folder: [path for path in folder.glob("*.py") if path.name != "__init__.py"] for folder in folders}
    assert {str(folder): len(inside) for folder, inside in modules.items() if len(inside) > MODULES} == {}
