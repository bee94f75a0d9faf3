"""What can go wrong for a person, each with the exit code that the command line documents.

A text says what was seen, what is allowed and what to do. Only the standard library: every room may raise these.
"""

from __future__ import annotations


class EmgtwitchError(Exception):
    """Base of all errors that the command line phrases instead of showing a traceback."""

    exit_code = 1


class UsageError(EmgtwitchError):
    """What was asked for does not make sense."""

    exit_code = 2


class UnreadableInputError(EmgtwitchError):
    """A file is missing, damaged, empty, of another format or of a newer version."""

    exit_code = 65


class NoBoardError(EmgtwitchError):
    """No board answers, or its port may not be opened."""

    exit_code = 69


class NoMemoryError(EmgtwitchError):
    """The system gives this program no more memory, or no more threads."""

    exit_code = 71


class CannotWriteError(EmgtwitchError):
    """A folder, a log or a disk does not take what must be written, or another daemon holds it."""

    exit_code = 73
