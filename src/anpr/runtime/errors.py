"""Errors that a person sees. Each states what is wrong and what to do next. Pure.

The code of an error is a heading in docs/errors.md, which explains the cause and the remedy.
"""


class AnprError(Exception):
    """An error that the person who ran the command can correct. The command ends with `exit_code`."""

    exit_code = 1

    def __init__(self, code: str, message: str, next_step: str) -> None:
        """`code` names the kind of error, `message` states what is wrong, `next_step` what to do about it."""
        super().__init__(message)
        self.code = code
        self.next_step = next_step

    def __reduce__(self) -> tuple[type["AnprError"], tuple[str, str, str]]:
        """Let another process raise the error again."""
        return type(self), (self.code, str(self), self.next_step)

    def lines(self) -> list[str]:
        """Return the error as a terminal shows it."""
        return [f"error: {self}", f"next:  {self.next_step}", f"more:  docs/errors.md#{self.code}"]


class InputError(AnprError):
    """A file or a setting has a value that cannot be used."""

    exit_code = 2


class ProgramError(AnprError):
    """The program itself is at fault."""

    exit_code = 4


class UnavailableError(AnprError):
    """A server or a program is not available, or the disk refuses."""

    exit_code = 3
