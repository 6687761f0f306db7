"""Decides how a browser keeps its login: in one cookie, closed to scripts, to other sites and to plain HTTP; and in
another that it has been here before, which outlives the login and signs nobody in.

Where our pages have HTTPS its name begins with `__Host-`: browsers then take it only from this very host over HTTPS, so
no other name of the same domain can slip in a login of its own choice (RFC 6265bis, section 4.1.3.2).
"""

from collections.abc import Set as AbstractSet
from typing import Final

from aiohttp import web

SESSION_COOKIE: Final = "keshi_session"
DEVICE_COOKIE: Final = "keshi_device"
HOST_PREFIX: Final = "__Host-"
#: half a year
DEVICE_S: Final = 180 * 24 * 3_600


def is_secure(origins: AbstractSet[str]) -> bool:
    """Whether our pages have HTTPS, wherever it ends."""
    return any(origin.startswith("https://") for origin in origins)


def cookie_name(origins: AbstractSet[str], plain: str = SESSION_COOKIE) -> str:
    """What the cookie is called; no other name is read."""
    return HOST_PREFIX + plain if is_secure(origins) else plain


def session_token(request: web.BaseRequest, origins: AbstractSet[str]) -> str:
    """The token a browser sent; "" for none."""
    return _sent(request, cookie_name(origins))


def set_session(response: web.StreamResponse, origins: AbstractSet[str], token: str, seconds: int) -> None:
    """Sign the browser in with a token for so long, or out with ""."""
    name, secure = cookie_name(origins), is_secure(origins)
    if not token:
        response.del_cookie(name, path="/", secure=secure, httponly=True, samesite="Lax")
        return
    response.set_cookie(name, token, max_age=seconds, httponly=True, samesite="Lax", secure=secure, path="/")


def device_text(request: web.BaseRequest, origins: AbstractSet[str]) -> str:
    """What a browser keeps of having been here; "" for nothing."""
    return _sent(request, cookie_name(origins, DEVICE_COOKIE))


def set_device(response: web.StreamResponse, origins: AbstractSet[str], text: str) -> None:
    """Have the browser keep it."""
    name = cookie_name(origins, DEVICE_COOKIE)
    secure = is_secure(origins)
    response.set_cookie(name, text, max_age=DEVICE_S, httponly=True, samesite="Lax", secure=secure, path="/")


def _sent(request: web.BaseRequest, name: str) -> str:
    """A cookie; none of ours has anything but ASCII in it, and bytes that are no text could not even be looked up."""
    text = request.cookies.get(name, "")
    return text if text.isascii() else ""
