"""Decides how those who watch are counted: what reached each of them, what each needs, how many by which way."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from media.admission import Admission, Demand, Place, Way
from media.aside import is_aside, is_counted
from media.broadcast import RENDITIONS, Rendition
from media.endpoints import Publisher, Watcher
from media.grants import Grant, is_check
from media.offer import Offer
from media.packets import VIDEO
from media.size import Size
from media.tap import SCREEN
from media.witness import WEBRTC, Source


class Link(Protocol):
    """How a session is connected."""

    connected: bool


class Seat(Protocol):
    """One WHIP or WHEP session."""

    @property
    def grant(self) -> Grant: ...
    @property
    def peer(self) -> Link: ...
    @property
    def endpoint(self) -> Publisher | Watcher: ...


class Follower(Protocol):
    """One who watches without a peer of its own, over a plain connection. `taken`: bytes that its connection took."""

    grant: Grant
    rendition: Rendition
    tier: int
    taken: int

    def end(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Audience:
    """Who watches a room, and what is left. `small`: of those over WebRTC, whom admission holds at the small camera.

    `used_bps` of `limit_bps` (None: no limit) is the uplink of the whole process. `spent`: why one more over WebRTC
    would be refused now; empty: they would not be.
    """

    peers: int = 0
    small: int = 0
    parts: int = 0
    voices: int = 0
    used_bps: int = 0
    limit_bps: int | None = None
    spent: str = ""


def sources(sessions: Iterable[Seat], followers: Iterable[Follower]) -> Iterator[Source]:
    """Who watches now, and what reached them; whoever only tries a line, or watches one aside, does not count."""
    for session in sessions:
        if isinstance(session.endpoint, Watcher) and session.peer.connected and is_counted(session.grant.room):
            size = session.endpoint.viewer.acknowledged.size
            yield Source(session, session.grant.room, session.grant.peer, WEBRTC, size)
    for each in followers:
        if is_beside(each) or is_aside(each.grant.room):
            continue
        yield Source(each, each.grant.room, each.grant.peer, each.tier, each.taken)


def is_beside(follower: Follower) -> bool:
    """The screen of one who is counted by what they watch it with."""
    return follower.rendition == SCREEN


def way_of(rendition: Rendition) -> Way:
    """By parts or HLS, in whatever codec."""
    return "parts" if RENDITIONS[rendition].pictures else "voice"


def wish(grant: Grant, offer: Offer) -> Demand:
    """What one asks for who comes over WebRTC."""
    if any(section.kind == VIDEO for section in offer.sections):
        return Demand(grant.room, grant.peer, "peer", size=Size())
    return Demand(grant.room, grant.peer, "voice")


def demands(sessions: Iterable[Seat], followers: Iterable[Follower]) -> list[Demand]:
    """What each of them needs, also those who are about to connect."""
    found = []
    for session in sessions:
        if isinstance(session.endpoint, Watcher) and not is_check(session.grant.room):
            feeds, size = session.endpoint.viewer.feeds, session.endpoint.viewer.size
            way: Way = "peer" if feeds else "voice"
            found.append(Demand(session.grant.room, session.grant.peer, way, SCREEN in feeds, size if feeds else None))
    followers = list(followers)
    beside = {(each.grant.room, each.grant.peer) for each in followers if is_beside(each)}
    for each in followers:
        seat = (each.grant.room, each.grant.peer)
        if not is_beside(each):
            found.append(Demand(*seat, way_of(each.rendition), screen=seat in beside))
    return found


def audience(room: Place, everybody: list[Demand], admission: Admission) -> Audience:
    """Of one room, as its instructor is told."""
    here = [each for each in everybody if each.room == room.name]
    ways = Counter(each.way for each in here)
    limit = None if admission.limit is None else round(admission.limit)
    return Audience(
        peers=ways["peer"],
        small=sum(each.size is not None and each.size.held for each in here),
        parts=ways["parts"],
        voices=ways["voice"],
        used_bps=round(admission.used),
        limit_bps=limit,
        spent=admission.spent(room, everybody),
    )
