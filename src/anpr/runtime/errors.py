"""Errors that a person meets. Each says what is wrong and what to do next. Pure.

Its code is a heading in docs/errors.md, where the cause and the mending stand at length.
"""


class AnprError(Exception):
    """Something that the person who ran the command can mend. `exit_code` is what the command ends with."""

    exit_code = 1

    def __init__(self, code: str, message: str, next_step: str) -> None:
        """`code` names the kind of error, `message` says what is wrong, `next_step` what to do about it."""
        super().__init__(message)
        self.code = code
        self.next_step = next_step

    def __reduce__(self) -> tuple[type["AnprError"], tuple[str, str, str]]:
        """Let it be raised again in another process."""
        return type(self), (self.code, str(self), self.next_step)

    def lines(self) -> list[str]:
        """Return the error as a person is told it."""
        return [f"error: {self}", f"next:  {self.next_step}", f"more:  docs/errors.md#{self.code}"]


class InputError(AnprError):
    """A file or a setting holds what cannot be used."""

    exit_code = 2


class ProgramError(AnprError):
    """The program itself is at fault."""

    exit_code = 4


class UnavailableError(AnprError):
    """A server or a program that is needed cannot be reached or had, or a disk refuses."""

    exit_code = 3
