"""Errors that a person meets. Each says what is wrong and, where there is one, the next step."""


class AnprError(Exception):
    """Something that the person who ran the command can mend. `exit_code` is what the command ends with."""

    exit_code = 1

    def __init__(self, message: str, next_step: str = "") -> None:
        """Say what is wrong in `message` and what to do about it in `next_step`."""
        super().__init__(message)
        self.next_step = next_step


class InputError(AnprError):
    """A file or a setting holds what cannot be used."""

    exit_code = 2


class UnavailableError(AnprError):
    """A server or a program that is needed cannot be reached or had."""

    exit_code = 3
