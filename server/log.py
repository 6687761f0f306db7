"""Decides how the service logs: a JSON object a line on stderr, with ids, never a name, an ID number or a face."""

import logging
import sys
from collections.abc import Callable, MutableMapping
from typing import Any, TextIO, cast

import structlog


def set_up_logging(level: str) -> Callable[[str], None]:
    """Log at `level` (debug, info, warning, error) from now on.

    What is returned takes this process's node id, once it has one of several; every later line says it.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    named = _Named()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,  # the id of the request or event that is being handled
            named,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _Stderr())),
        cache_logger_on_first_use=True,
    )
    # for each malformed request it would write a page, and in it the header that it could not read: a cookie, say
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    logging.basicConfig(
        level=max(number, logging.WARNING), stream=sys.stderr, format="%(levelname)s %(name)s %(message)s"
    )
    return named.be


class _Stderr:
    """The stderr of the moment: a logger lives longer than one that was put in its place for a while."""

    def write(self, text: str) -> None:
        sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


class _Named:
    """Says which process wrote a line, where there are several; loggers that are in use already hear of it as well."""

    def __init__(self) -> None:
        self._node: dict[str, str] = {}

    def be(self, node: str) -> None:
        self._node = {"node": node}

    def __call__(self, _logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {**line, **self._node}
