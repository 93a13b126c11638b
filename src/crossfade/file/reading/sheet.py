"""A YAML file beside `crossfade.yaml`, such as a table of costs: read as strictly, refused in the same words."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from crossfade.core.errors import WrongInputError
from crossfade.file.part import Part
from crossfade.file.reading.document import Keys, read
from crossfade.file.reading.problem import WrongFileError
from crossfade.file.reading.wording import problems

Sheet = TypeVar("Sheet", bound=Part)


def read_sheet(kind: type[Sheet], path: Path, as_text: Callable[[Keys], bool] = lambda _keys: False) -> Sheet:
    """The file as a `kind`. What `as_text` picks reaches it as it was typed, so that 4.00 is not 4.0.

    Raises WrongInputError: no such file, or (WrongFileError) everything that is wrong in it.
    """
    if not path.exists():
        raise WrongInputError(f"there is no file {path}", "name one that exists")
    document = read(path, str(path))
    try:
        return kind.model_validate(document.plain(as_text))
    except ValidationError as error:
        raise WrongFileError(str(path), problems(error, document, kind), "") from None
