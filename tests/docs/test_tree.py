"""The tree explains itself: no file that one does not read at once, no folder that one does not see at once, no name
that two things have.
"""

import ast
from collections import defaultdict
from pathlib import Path

import crossfade

SOURCE = Path(crossfade.__file__).parent
LINES, MODULES = 350, 15

# One thing each, as the file spells it and as the engine has it.
SPELLED = frozenset(
    {"Build", "Channel", "Health", "Hooks", "Job", "Moment", "Preview", "Resources", "RollbackOn", "Scale", "Service"}
    | {"Site", "Static", "Sticky", "Store", "Tls"}
)
# One thing each, as several adapters of a port have it.
ADAPTED = frozenset({"Artifacts", "Backups", "Counts", "LogLine", "Publisher"})


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


def test_no_name_stands_for_two_classes() -> None:
    """Who looks for a class by its name finds one meaning; `_Names` are a module's own."""
    named = defaultdict[str, list[str]](list)
    for path in SOURCE.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                named[node.name].append(str(path.relative_to(SOURCE)))
    shared = {name: sorted(paths) for name, paths in named.items() if len(paths) > 1}
    assert {name: paths for name, paths in shared.items() if name not in SPELLED | ADAPTED} == {}
    assert shared.keys() >= (SPELLED | ADAPTED)  # a name that only one class has is its own again
    assert {name: paths for name, paths in shared.items() if name in SPELLED and not _is_spelled(paths)} == {}


def _is_spelled(paths: list[str]) -> bool:
    """Once in the file's words, once in the engine's."""
    return sorted(path.startswith("file/") for path in paths) == [False, True]
