"""Logs for people on a terminal, and as JSON lines for programs everywhere else.

Each line has `at`, `level`, `event` (a few fixed words) and its values as fields. The lines of a service also have
`service`, `site` and `name`. A line never holds a plate, a line of a list or a read. The text of an exception is not
known beforehand and may quote any of these, so only its type and its location in the code are logged.
"""

import logging
import sys
import threading
import traceback
from pathlib import Path
from typing import TextIO

import structlog
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from anpr.runtime.errors import AnprError

# The fields of every line of this process. A module variable, because threads do not share a logging context.
_SERVICE: dict[str, str] = {}

structlog.configure(
    processors=[structlog.stdlib.filter_by_level, ProcessorFormatter.wrap_for_formatter],
    wrapper_class=BoundLogger,
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)


def get_logger(name: str) -> BoundLogger:
    """Return the logger of a module: `log.info("index activated", entries=7)`."""
    logger: BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def configure(stream: TextIO) -> None:
    """Log to `stream` from now on, including what libraries log and the errors that end a thread."""
    for_people = stream.isatty()
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _add_service,
        _replace_exception_text,
    ]
    renderer = (
        structlog.dev.ConsoleRenderer(timestamp_key="at") if for_people else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        ProcessorFormatter(processors=[*shared, ProcessorFormatter.remove_processors_meta, renderer])
    )
    root = logging.getLogger()
    for previous in [known for known in root.handlers if isinstance(known.formatter, ProcessorFormatter)]:
        root.removeHandler(previous)
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    threading.excepthook = _log_end_of_thread


def bind_service(**fields: str) -> None:
    """Set the fields that every line of this process has: `service`, `site`, `name`."""
    _SERVICE.update(fields)


def report_end(error: AnprError, stream: TextIO) -> None:
    """Report the error that ended this process: in words for a person, as a log line when a program reads the log."""
    if _SERVICE and not stream.isatty():
        get_logger(__name__).error("ended", code=error.code, error=str(error), next_step=error.next_step)
    else:
        stream.write("".join(f"{line}\n" for line in error.lines()))


def location(error: BaseException) -> list[str]:
    """Return the frames of an exception, the innermost last: file, line and function, without its text."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno} {frame.name}" for frame in frames]


def _add_service(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    first = {name: event.pop(name) for name in ("at", "level", "event") if name in event}
    return {**first, **_SERVICE, **event}


def _replace_exception_text(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    exc_info = event.pop("exc_info", None)
    if exc_info is None and "_record" in event:
        # wrap_for_formatter and libraries pass it in the record.
        exc_info, event["_record"].exc_info, event["_record"].exc_text = event["_record"].exc_info, None, None
    is_tuple = isinstance(exc_info, tuple)
    error = exc_info if isinstance(exc_info, BaseException) else exc_info[1] if is_tuple else sys.exception()
    if exc_info and error is not None:
        event.update(error=type(error).__name__, where=location(error))
    return event


def _log_end_of_thread(hook: threading.ExceptHookArgs) -> None:
    name = hook.thread.name if hook.thread else "?"
    get_logger(__name__).error("thread died", thread=name, exc_info=hook.exc_value)
