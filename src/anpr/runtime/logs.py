"""Logs for people on a terminal, and as JSON lines for programs everywhere else.

Each line has `at`, `level`, `event` (a few fixed words) and the figures that belong to it as fields; those of a
service also have `service`, `site` and `name`. A plate, a line of a list or a read is never part of one. What an
exception says is not known beforehand and may quote any of these, so only its kind and place in the code are told.
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

# What every line of this process says besides: threads have no context of their own in common.
_SERVICE: dict[str, str] = {}

structlog.configure(
    processors=[structlog.stdlib.filter_by_level, ProcessorFormatter.wrap_for_formatter],
    wrapper_class=BoundLogger,
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)


def get_logger(name: str) -> BoundLogger:
    """Return the logger of a module: `log.info("list in force", entries=7)`."""
    logger: BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def configure(stream: TextIO) -> None:
    """Log to `stream` from now on, also what libraries log and what a thread dies of."""
    for_people = stream.isatty()
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _add_service,
        _tell_kind_and_place_only,
    ]
    renderer = (
        structlog.dev.ConsoleRenderer(timestamp_key="at") if for_people else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        ProcessorFormatter(processors=[*shared, ProcessorFormatter.remove_processors_meta, renderer])
    )
    root = logging.getLogger()
    for before in [one for one in root.handlers if isinstance(one.formatter, ProcessorFormatter)]:
        root.removeHandler(before)
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    threading.excepthook = _log_death_of_thread


def bind_service(**fields: str) -> None:
    """Set what every line of this process says besides: `service`, `site`, `name`."""
    _SERVICE.update(fields)


def report_end(error: AnprError, stream: TextIO) -> None:
    """Say what ended this process: in words, or as a line of the log where a program reads a service's log."""
    if _SERVICE and not stream.isatty():
        get_logger(__name__).error("ended", code=error.code, error=str(error), next_step=error.next_step)
    else:
        stream.write("".join(f"{line}\n" for line in error.lines()))


def location(error: BaseException) -> list[str]:
    """Return where an exception came by, the innermost last: file, line and function, none of its words."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno} {frame.name}" for frame in frames]


def _add_service(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    first = {name: event.pop(name) for name in ("at", "level", "event") if name in event}
    return {**first, **_SERVICE, **event}


def _tell_kind_and_place_only(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    told = event.pop("exc_info", None)
    if told is None and "_record" in event:
        # wrap_for_formatter and libraries hand it over in the record.
        told, event["_record"].exc_info, event["_record"].exc_text = event["_record"].exc_info, None, None
    error = told if isinstance(told, BaseException) else told[1] if isinstance(told, tuple) else sys.exception()
    if told and error is not None:
        event.update(error=type(error).__name__, where=location(error))
    return event


def _log_death_of_thread(told: threading.ExceptHookArgs) -> None:
    name = told.thread.name if told.thread else "?"
    get_logger(__name__).error("thread died", thread=name, exc_info=told.exc_value)
