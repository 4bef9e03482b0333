"""How the log is written: one line for each record, in the form key=value."""

import json
import logging
import sys
import time


class LineFormatter(logging.Formatter):
    """Writes a record as one line, whatever its message and traceback hold."""

    converter = staticmethod(time.gmtime)
    default_msec_format = "%s.%03dZ"
    default_time_format = "%Y-%m-%dT%H:%M:%S"

    def format(self, record: logging.LogRecord) -> str:
        parts = {
            "level": record.levelname.lower(),
            "logger": record.name,
            "request": getattr(record, "request_id", None),
            "message": json.dumps(record.getMessage(), ensure_ascii=False),
            "traceback": json.dumps(self.formatException(record.exc_info)) if record.exc_info else None,
        }
        shown = (f"{name}={value}" for name, value in parts.items() if value is not None)
        return f"{self.formatTime(record)} {' '.join(shown)}"


def configure(level: str) -> None:
    """Log to stderr from the level on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    quiet = max(logging.WARNING, logging.getLogger().level)
    for name in ("uvicorn", "uvicorn.error", "pymongo", "asyncio", "alembic"):
        logging.getLogger(name).setLevel(quiet)
