"""The log as JSON: one object a line, with the fields of events one by one."""

import logging
from typing import Any

import structlog
from structlog.types import EventDict, WrappedLogger

from watchword.events import LOG_FIELDS


def json_formatter(**_options: Any) -> logging.Formatter:  # noqa: ANN401 — what logging's configuration passes
    """A formatter for `logging.config`."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _add_event_fields,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(sort_keys=False),
        ],
    )


def _add_event_fields(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
    return {**entry, **getattr(entry["_record"], LOG_FIELDS, {})}
