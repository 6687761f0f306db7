"""Decides how the service logs: a JSON object a line on stderr, with ids, never a name, an ID number or a face."""

import logging
import sys
from collections.abc import MutableMapping
from functools import partial
from typing import Any, TextIO, cast

import structlog


def set_up_logging(level: str, node: str = "") -> None:
    """Log at `level` (debug, info, warning, error) from now on; `node` names this process where there are several."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,  # the id of the request or event that is being handled
            *([partial(_of_node, node)] if node else []),
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


class _Stderr:
    """The stderr of the moment: a logger lives longer than one that was put in its place for a while."""

    def write(self, text: str) -> None:
        sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def _of_node(node: str, _logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {**line, "node": node}
