"""Decides what an SDP fragment in a PATCH says, and how ours looks when ICE begins anew. Pure (RFC 8840, RFC 9725)."""

from dataclasses import dataclass

from aiortc.sdp import candidate_to_sdp

from media.answer import Local, candidates
from media.errors import MediaError

MOST_LINES = 300
#: RFC 8839 section 5.4: both of `ice-char`, so long at least, 256 at most
LEAST_UFRAG, LEAST_PASSWORD, MOST = 4, 22, 256
ICE_CHARS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")


@dataclass(frozen=True, slots=True)
class Fragment:
    """The client's ICE user name, "" when it says none, and the section its candidates are for.

    Candidates are not kept: as ICE-lite we answer checks from wherever they come.
    """

    ufrag: str
    section: tuple[str, ...]


def read_fragment(text: str) -> Fragment:
    """Raises MediaError bad_fragment(reason)."""
    lines = text.splitlines()
    if len(lines) > MOST_LINES or not all(line[:1].islower() and line[1:2] == "=" for line in lines):
        raise MediaError("bad_fragment", reason="syntax")
    ufrags, passwords = (_said(lines, f"a={name}:") for name in ("ice-ufrag", "ice-pwd"))
    if not (len(ufrags) == len(passwords) <= 1):
        raise MediaError("bad_fragment", reason="ice_credentials")
    for value, least in ((ufrags, LEAST_UFRAG), (passwords, LEAST_PASSWORD)):
        if any(not least <= len(one) <= MOST or not ICE_CHARS.issuperset(one) for one in value):
            raise MediaError("bad_fragment", reason="ice_credentials")
    described = [next((line for line in lines if line.startswith(kind)), "") for kind in ("m=", "a=mid:")]
    return Fragment(next(iter(ufrags), ""), tuple(described) if all(described) else ())


def restarted(local: Local, fragment: Fragment) -> str:
    """Our new credentials, and our addresses when the client named a section for them."""
    lines = ["a=ice-lite", f"a=ice-ufrag:{local.ufrag}", f"a=ice-pwd:{local.password}"]
    if fragment.section:
        lines += fragment.section
        lines += [f"a=candidate:{candidate_to_sdp(each)}" for each in candidates(local)]
        lines.append("a=end-of-candidates")
    return "".join(f"{line}\r\n" for line in lines)


def _said(lines: list[str], name: str) -> set[str]:
    return {line[len(name) :] for line in lines if line.startswith(name)}
