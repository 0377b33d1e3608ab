"""Log lines: one event each, the same keys everywhere, as text for people or JSON for programs."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from pipeline.clock import utc_text
from pipeline.errors import LoggerError

_FACTS = "facts"


def event(logger: logging.Logger, level: int, what: str, /, **facts: object) -> None:
    """Log what happened with its facts."""
    logger.log(level, what, extra={_FACTS: facts}, stacklevel=2)


def failure(logger: logging.Logger, what: str, /, **facts: object) -> None:
    """Log an error with its facts and the exception at hand: the disk's and our own say all in a line, others trace."""
    error = sys.exc_info()[1]
    is_plain = isinstance(error, OSError | LoggerError)
    facts.setdefault("error", f"{type(error).__name__}: {error}")
    logger.error(what, extra={_FACTS: facts}, exc_info=not is_plain, stacklevel=2)


def _shown(value: object) -> str:
    text = f"{value:.3g}" if isinstance(value, float) else str(value)
    return json.dumps(text, ensure_ascii=False) if not text or any(c in text for c in ' "\n\t') else text


class TextFormatter(logging.Formatter):
    """`time LEVEL logger: what happened key=value ...`, UTC."""

    def format(self, record: logging.LogRecord) -> str:
        facts = "".join(f" {key}={_shown(value)}" for key, value in getattr(record, _FACTS, {}).items())
        when = utc_text(int(record.created * 1000))
        line = f"{when} {record.levelname:<7} {record.name}: {record.getMessage()}{facts}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, event, then the facts."""

    def format(self, record: logging.LogRecord) -> str:
        document: dict[str, Any] = {
            "time": utc_text(int(record.created * 1000)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **getattr(record, _FACTS, {}),
        }
        if record.exc_info:
            document["traceback"] = self.formatException(record.exc_info)
        return json.dumps(document, ensure_ascii=False, default=str)


def set_up(level: str, form: str) -> None:
    """Send the log of the whole process to standard error at a level, as `text` or `json`."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
