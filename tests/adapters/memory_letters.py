"""Letters in a dictionary that several processes of a test share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crossfade.engine.ports.letters import Letter


@dataclass
class Box:
    """By id: the letter, whether somebody has taken it, and its answer."""

    letters: dict[str, Letter] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    answers: dict[str, Mapping[str, Any]] = field(default_factory=dict)


class MemoryLetters:
    def __init__(self, box: Box) -> None:
        self._box = box

    async def send(self, letter: Letter) -> None:
        self._box.letters[letter.id] = letter

    async def waiting(self) -> Sequence[Letter]:
        return [letter for letter in self._box.letters.values() if letter.id not in self._box.taken]

    async def take(self, letter: Letter) -> bool:
        if letter.id not in self._box.letters or letter.id in self._box.taken:
            return False
        self._box.taken.add(letter.id)
        return True

    async def answer(self, letter: Letter, answer: Mapping[str, Any]) -> None:
        if letter.id in self._box.letters:
            self._box.answers[letter.id] = answer

    async def answered(self, letter: Letter) -> Mapping[str, Any] | None:
        answer = self._box.answers.pop(letter.id, None)
        if answer is not None:
            del self._box.letters[letter.id]
        return answer

    async def take_back(self, letter: Letter) -> bool:
        if letter.id in self._box.taken:
            return False
        self._box.letters.pop(letter.id, None)
        return True
