"""Decides whether a WebSocket is asked for by a page of ours: its Origin must be the host it asks."""

from urllib.parse import urlsplit

from aiohttp import web


def from_own_page(request: web.Request) -> bool:
    """Another site's page has another Origin, and programs that send none are not let in either."""
    try:
        return urlsplit(request.headers.get("Origin", "")).netloc == request.host
    except ValueError:  # no address at all
        return False
