"""From a load test file to the test it describes."""

from pathlib import Path

from pydantic import ValidationError

from crossfade.file.loadtest.model import Sheet
from crossfade.file.reading.document import contents, parse
from crossfade.file.reading.problem import WrongFileError
from crossfade.file.reading.wording import problems

EXAMPLE = "stages: [{users: 20, for: 30s}]; journeys: {visit: {steps: [{get: /}]}}"


def load(path: Path, called: str) -> Sheet:
    """Raises WrongInputError: no such file, or (WrongFileError) everything that is wrong in it."""
    document = parse(contents(path, called, f"write one such as  {EXAMPLE}", "name a load test's file"), called)
    try:
        return Sheet.model_validate(document.plain(lambda keys: "form" in keys or "headers" in keys))
    except ValidationError as error:
        raise WrongFileError(called, problems(error, document, Sheet), "no load was sent") from None
