"""Decides how a browser keeps its login: in one cookie, closed to scripts, to other sites and to plain HTTP.

Where our pages have HTTPS its name begins with `__Host-`: browsers then take it only from this very host over HTTPS, so
no other name of the same domain can slip in a login of its own choice (RFC 6265bis, section 4.1.3.2).
"""

from collections.abc import Set as AbstractSet
from typing import Final

from aiohttp import web

SESSION_COOKIE: Final = "keshi_session"
HOST_PREFIX: Final = "__Host-"


def is_secure(origins: AbstractSet[str]) -> bool:
    """Whether our pages have HTTPS, wherever it ends."""
    return any(origin.startswith("https://") for origin in origins)


def cookie_name(origins: AbstractSet[str]) -> str:
    """What the cookie is called; no other name is read."""
    return HOST_PREFIX + SESSION_COOKIE if is_secure(origins) else SESSION_COOKIE


def session_token(request: web.BaseRequest, origins: AbstractSet[str]) -> str:
    """The token a browser sent; "" for none."""
    return request.cookies.get(cookie_name(origins), "")


def set_session(response: web.Response, origins: AbstractSet[str], token: str, seconds: int) -> None:
    """Sign the browser in with a token for so long, or out with ""."""
    name, secure = cookie_name(origins), is_secure(origins)
    if not token:
        response.del_cookie(name, path="/", secure=secure, httponly=True, samesite="Lax")
        return
    response.set_cookie(name, token, max_age=seconds, httponly=True, samesite="Lax", secure=secure, path="/")
