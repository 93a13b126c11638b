"""The base of every mapping of the file: nothing unknown, nothing impossible, never changed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError


@dataclass(frozen=True)
class Clash:
    """Values that are each right but cannot be meant together. `key` is the path below the part that says so,
    `meant` the word that was probably meant.
    """

    key: tuple[str | int, ...]
    found: str
    allowed: str
    meant: str = ""

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.key))}: {self.found}; allowed: {self.allowed}"


def refuse(clashes: Iterable[Clash]) -> None:
    """Raise, as pydantic wants it, when there are any: each is told at its own place."""
    if found := tuple(clashes):
        raise PydanticCustomError("impossible", "{text}", {"text": "\n".join(map(str, found)), "clashes": found})


class Part(BaseModel):
    """One mapping of the file."""

    # Built when first used: at import each part would be built for itself and again inside all that contain it, which
    # is half of what loading a file takes.
    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, serialize_by_alias=True, defer_build=True
    )

    @classmethod
    def unwritten(cls, **values: Any) -> Self:
        """A part that counts when the file has none. Not checked, which at import would build a validator for it."""
        return cls.model_construct(**values)

    def impossible(self) -> Iterator[Clash]:
        """Every combination in this part that cannot work."""
        yield from ()

    @model_validator(mode="before")
    @classmethod
    def _null_is_not_set(cls, data: Any) -> Any:
        """A key without a value counts as left out, which is also how an environment takes a setting back."""
        if not isinstance(data, dict):
            return data
        optional = {field.alias or name for name, field in cls.model_fields.items() if not field.is_required()}
        return {key: value for key, value in data.items() if value is not None or key not in optional}

    @model_validator(mode="after")
    def _refuse_the_impossible(self) -> Self:
        refuse(self.impossible())
        return self
