"""Asking a person before anything happens."""

import sys
from collections.abc import Iterable

import click

from crossfade.aws.terraform.guard import Question, SaidBefore
from crossfade.core.errors import RefusedError


def ask(questions: Iterable[Question], said: SaidBefore) -> None:
    """Return when everything was confirmed, by options or at the prompt. Raises RefusedError else."""
    left = [question for question in questions if not said.answers(question)]
    if left and not sys.stdin.isatty():
        options = " ".join(question.option for question in left)
        raise RefusedError("this has to be confirmed, and there is nobody to ask", f"confirm it with {options}")
    for question in left:
        if not _agreed(question):
            raise RefusedError("not confirmed; nothing was changed")


def _agreed(question: Question) -> bool:
    if question.phrase is None:
        return click.confirm(question.text, err=True)
    typed: str = click.prompt(question.text, default="", show_default=False, err=True)
    return typed.strip() == question.phrase
