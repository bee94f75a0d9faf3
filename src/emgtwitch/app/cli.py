"""The command line: finds the command's module, imports only that, and phrases what it raises."""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import sys

from emgtwitch import __version__
from emgtwitch.errors import CannotWriteError, EmgtwitchError, NoMemoryError, UnreadableInputError
from emgtwitch.legible import legible

OTHERS = 0o077  # users of this machine; whatever a command makes is health data, or could be run in its owner's name
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_MEMORY = ("can't allocate lock", "can't start new thread")  # so the interpreter says it of these, as RuntimeError

# command -> (module with add_arguments(parser) and main(args), one line of help). The modules import numpy and the
# like inside main, so that --help, events, status and doctor start at once.
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("emgtwitch.app.run", "acquire, record, detect and log until stopped"),
    "replay": ("emgtwitch.app.replay", "find events in a recording or a foreign file"),
    "events": ("emgtwitch.app.events", "list or draw what the log holds"),
    "status": ("emgtwitch.app.status", "say whether the daemon runs and how well it hears"),
    "mark": ("emgtwitch.app.mark", "put a mark into the log and the running recording"),
    "page": ("emgtwitch.app.open_page", "show a recording or a log in the browser, without a board"),
    "report": ("emgtwitch.app.report.command", "write a report of some days for a doctor, or of a week for the wearer"),
    "compare": ("emgtwitch.app.study.compare_command", "compare days with and without a factor of the diary"),
    "schedule": ("emgtwitch.app.study.schedule_command", "draw by lot which days to have a factor"),
    "export": ("emgtwitch.app.export.command", "write a log or a recording in formats of other programs"),
    "verify": ("emgtwitch.app.verify", "check every recording and the log, and say what is damaged"),
    "backup": ("emgtwitch.app.backup", "copy log and recordings, also while the daemon runs"),
    "prune": ("emgtwitch.app.prune", "drop old signal, but for that around events"),
    "forget": ("emgtwitch.app.forget", "delete a range of time for good, from log and recordings"),
    "ports": ("emgtwitch.app.ports", "list serial ports and the boards that answer there"),
    "flash": ("emgtwitch.app.flash", "write the firmware into an Uno or Nano, with avrdude"),
    "install": (
        "emgtwitch.app.unattended.install_command",
        "start the daemon at login, watched, from a systemd user unit",
    ),
    "uninstall": ("emgtwitch.app.unattended.uninstall_command", "remove what install wrote; never data"),
    "doctor": ("emgtwitch.app.doctor", "check port, rights, board, clock, noise and mains; one remedy a finding"),
}


def parser_for(command: str) -> argparse.ArgumentParser:
    """The parser of one command."""
    module, text = COMMANDS[command]
    parser = argparse.ArgumentParser(prog=f"emgtwitch {command}", description=text[0].upper() + text[1:] + ".")
    importlib.import_module(module).add_arguments(parser)
    return parser


def overview() -> str:
    """What `emgtwitch --help` prints."""
    lines = [f"  {name:<9} {text}" for name, (_, text) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: emgtwitch COMMAND [OPTIONS]",
            "",
            "Find muscle twitches and spasms in surface EMG, live or recorded. Not a medical device.",
            "",
            *lines,
            "",
            "emgtwitch COMMAND --help tells the options; emgtwitch --version the version.",
            "Exit codes: 0 done, 2 usage, 65 unreadable input, 69 no board, 71 no memory, 73 cannot write.",
        ]
    )


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns its exit code. What it makes is its owner's alone, whatever the umask was."""
    before = os.umask(OTHERS)
    try:
        try:
            return _command(sys.argv[1:] if argv is None else argv)
        finally:
            if sys.stdout is not None:  # closed before the program began
                sys.stdout.flush()  # here and not at exit, where it could only end in a traceback
    except EmgtwitchError as error:
        _complain(f"emgtwitch: {legible(str(error))}")  # it may quote a file that anybody made
        return error.exit_code
    except BrokenPipeError:  # `emgtwitch events | head`: the reader has what it wanted
        _discard_output()
        return 0
    except PermissionError as error:  # of a folder on the way, where every access fails
        what = f"{error.filename!s} is not yours to use: {error.strerror}"
        _complain(f"emgtwitch: {legible(what)}. Name another folder, or ask its owner.")
        return UnreadableInputError.exit_code
    except OSError as error:
        if error.errno not in _DISK:
            raise
        _discard_output()
        _complain(f"emgtwitch: What was found cannot be written: {error.strerror}. Make room.")
        return CannotWriteError.exit_code
    except KeyboardInterrupt:
        return 130
    finally:
        os.umask(before)


def _command(arguments: list[str]) -> int:
    if arguments and arguments[0] == "--version":
        print(f"emgtwitch {__version__}")
        return 0
    if not arguments or arguments[0] in ("-h", "--help"):
        print(overview())
        return 0 if arguments else 2
    command, *rest = arguments
    if command not in COMMANDS:
        print(f"emgtwitch: there is no command {command!r}. Commands: {', '.join(COMMANDS)}.", file=sys.stderr)
        return 2
    args = parser_for(command).parse_args(rest)
    try:
        return int(importlib.import_module(COMMANDS[command][0]).main(args))
    except EmgtwitchError:
        raise
    except Exception as error:
        if not _lacked_memory(error):
            raise
        raise NoMemoryError(
            "The system gives this program no more memory. What was shown is stored. Close other programs, or raise "
            "the limit (ulimit, MemoryMax), and do the same again."
        ) from None


def _lacked_memory(error: BaseException | None) -> bool:
    """Whether `error`, or what it came up in the handling of, is that memory was refused."""
    while error is not None:
        refused = isinstance(error, OSError) and error.errno == errno.ENOMEM
        if refused or isinstance(error, MemoryError) or str(error) in _MEMORY:
            return True
        error = error.__context__
    return False


def _complain(text: str) -> None:
    from emgtwitch.app.printer import complain  # not needed by who has nothing to complain of

    complain(text)


def _discard_output() -> None:
    """What still waits in the buffer of standard output goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
