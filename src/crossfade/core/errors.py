"""The errors a user can meet. Each names the cause and the way out, and carries its exit code."""


class CrossfadeError(Exception):
    """Base of every error that is shown as one message instead of a traceback.

    `cause` is a sentence that says what is wrong and where; `way_out` says what to do next. What is `lasting` does not
    pass by itself: somebody has to do something first, and trying again before is no use.
    """

    exit_code = 4
    lasting = False

    def __init__(self, cause: str, way_out: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.way_out = way_out

    def __str__(self) -> str:
        return f"{self.cause}\n  {self.way_out}" if self.way_out else self.cause


class WrongInputError(CrossfadeError):
    """What the user wrote cannot be meant: nothing was changed."""

    exit_code = 2


class RefusedError(CrossfadeError):
    """Understood but not done: locked, a rollout already runs, or unsafe without a confirmation."""

    exit_code = 3


class UnchangedError(RefusedError):
    """What was ordered is already so."""


class PlatformError(CrossfadeError):
    """The machine, Docker, the balancer or the cloud did not do what it was asked."""

    exit_code = 4


class TakenError(PlatformError):
    """Another hand put something else in the place of what we keep: a person has to say who is right."""

    lasting = True


class StaleTokenError(RefusedError):
    """Another holder took the lease since: this one must not act any more."""
