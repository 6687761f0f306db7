"""Decides what lives in one media process: the port, the rooms, the sessions in them, and when each ends."""

import asyncio
import ipaddress
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal

from media import clock, seam
from media.admission import SPENT, Admission, Demand
from media.answer import Local, publish_answer, watch_answer
from media.aside import advice, asides, is_counted, packets_of
from media.audience import Follower, demands, is_beside, sources, way_of, wish
from media.broadcast import Rendition
from media.checks import read_check, ufrag_of
from media.doors import REPORTS_PER_SECOND, Address, HandshakeBudget, network_of
from media.endpoints import Publisher, Watcher
from media.errors import TROUBLES, MediaError
from media.forwarder import Viewer
from media.grants import Cuts, Grant, Kind
from media.ingest import Ingest
from media.mux import Kind as DatagramKind
from media.mux import Mux, classify, machine_ips
from media.offer import read_offer
from media.peer import Peer
from media.room import Room
from media.settings import MediaSettings
from media.tap import PUBLISHED, WATCHED
from media.tasks import Tasks, spare
from media.tcp import Streams
from media.whole import SENDING, check_watchable, check_whole
from media.witness import LOOK_SECONDS, Delivered, Source, Witness

TICK_SECONDS = 0.1
LOOK_AGAIN_SECONDS = 5.0
SESSION_BYTES = 18
EventKind = Literal["publisher_live", "publisher_gone", "publisher_trouble", "viewer_live", "viewer_gone"]


@dataclass(frozen=True, slots=True)
class MediaEvent:
    """Something a lesson wants to know: a peer's media began or ended in a room, at a moment (UTC).

    `code`: what is wrong with a publisher's (publisher_trouble): one of TROUBLES, `b_frames` or `picture_too_large`.
    """

    kind: EventKind
    room: str
    peer: str
    at: datetime
    code: str = ""


@dataclass(slots=True, eq=False)
class Session:
    """One WHIP or WHEP resource."""

    id: str
    room: Room
    grant: Grant
    peer: Peer
    endpoint: Publisher | Watcher


class Plane:
    """Rooms and sessions behind one UDP port. All calls on the loop that started it."""

    def __init__(
        self, settings: MediaSettings, on_event: Callable[[MediaEvent], None], now: Callable[[], float] = clock.unix
    ) -> None:
        self.settings = settings
        self.now = now
        self.cuts = Cuts(now)
        self.counts: Counter[str] = Counter()
        self.rooms: dict[str, Room] = {}
        self.sessions: dict[str, Session] = {}
        self.followers: set[Follower] = set()
        #: told of each room that opened (True) or ended
        self.on_room: list[Callable[[Room, bool], None]] = []
        self.on_minute: list[Callable[[Delivered], None]] = []
        self.witness = Witness(self._tell_minute)
        self.admission = Admission(settings.uplink_mbps, settings.start_kbps * 1_000, self.counts)
        self.certificate = seam.certificate()
        self._prints = tuple((each.algorithm, each.value) for each in self.certificate.getFingerprints())
        self._machine: tuple[float, tuple[str, ...]] = (float("-inf"), ())
        self.bench = seam.Bench()
        self.mux: Mux
        self._on_event = on_event
        self._tasks = Tasks()
        self._budget = HandshakeBudget(settings.handshakes_per_ip)
        self._by_ufrag: dict[str, Session] = {}
        self._by_address: dict[Address, Session] = {}
        self._by_peer: dict[Peer, Session] = {}
        self._looked_at = 0.0

    async def start(self) -> None:
        """Open the ports. Raises OSError when it is taken."""
        self.mux = Mux(self.settings.udp_host, self.settings.udp_port, self._on_datagram, self.counts)
        self.mux.start()
        await self._open_streams()
        self._tasks.spawn(self._tick(), "tick")

    async def _open_streams(self) -> None:
        port = self.settings.tcp_port
        if port is None:
            return
        streams = Streams(self._on_datagram, self._lost, self.counts)
        try:
            await streams.start(self.settings.udp_host, port)
        except OSError as error:
            self.mux.close()
            raise OSError(error.errno, f"media.tcp_port {port}: {error.strerror}") from error
        self.mux.streams = streams

    async def stop(self) -> None:
        for name in list(self.rooms):
            self.close_room(name)
        await asyncio.sleep(0)
        await self._tasks.close()
        self.mux.close()

    def clock(self) -> float:
        return clock.monotonic()

    # -- rooms and sessions -----------------------------------------------------------------------

    def open_room(self, name: str) -> None:
        """Open a room; nothing happens if it is. Raises MediaError too_many_rooms."""
        if name in self.rooms:
            return
        if sum(map(is_counted, self.rooms)) >= self.settings.max_rooms and is_counted(name):
            raise MediaError("too_many_rooms", limit=self.settings.max_rooms)
        later = asyncio.get_running_loop().call_later
        tell = partial(self._tell_publisher, name)
        room = self.rooms[name] = Room(name, later, clock.monotonic, tell, counts=self.counts)
        for told in self.on_room:
            told(room, True)

    def close_room(self, name: str) -> None:
        """And the rooms aside of it, also where it is not open itself."""
        closed = {each: self.rooms.pop(each) for each in [*asides(name, self.rooms), name] if each in self.rooms}
        self._end_where(lambda session: session.room.name in closed)
        self._end_followers(lambda each: each.grant.room in closed)
        for room in closed.values():
            for tell in self.on_room:
                tell(room, False)

    def cut(self, peer: str, at: float) -> None:
        """End what this peer opened with tokens issued until `at`, and refuse those tokens from now on."""
        self.cuts.add(peer, at)
        self._end_where(lambda session: session.grant.peer == peer and session.grant.issued <= at)
        self._end_followers(lambda each: each.grant.peer == peer and each.grant.issued <= at)

    def _end_where(self, matches: Callable[[Session], bool]) -> None:
        for session in [each for each in self.sessions.values() if matches(each)]:
            self.end(session)

    def _end_followers(self, matches: Callable[[Follower], bool]) -> None:
        for follower in [each for each in self.followers if matches(each)]:
            follower.end()

    def admit(self, grant: Grant, rendition: Rendition | None = None) -> Room:
        """The room that a grant opens; `rendition`: to watch it without a peer.

        Raises MediaError token_revoked, room_closed, publisher_taken, room_full, uplink_spent or cpu_spent.
        """
        self.cuts.check(grant)
        room = self.rooms.get(grant.room)
        if room is None:
            raise MediaError("room_closed")
        grants = [each.grant for each in self.sessions.values()] + [each.grant for each in self.followers]
        others = [each for each in grants if each.room == grant.room and each.peer != grant.peer]
        if grant.kind == "publish" and any(each.kind == "publish" for each in others):
            raise MediaError("publisher_taken")
        if len({each.peer for each in others}) >= self.settings.max_peers_per_room:
            raise MediaError("room_full", limit=self.settings.max_peers_per_room)
        if rendition is not None:
            self.admission.check(room, Demand(room.name, grant.peer, way_of(rendition)), self.demands)
        return room

    def follow(self, follower: Follower) -> None:
        """One more watches; what its peer had open over such a connection ends. A screen is beside it, not counted."""
        grant = follower.grant
        seat = (grant.room, grant.peer, is_beside(follower))
        self._end_followers(lambda former: (former.grant.room, former.grant.peer, is_beside(former)) == seat)
        self.followers.add(follower)
        if is_beside(follower):
            return
        if grant.room in self.rooms:
            self.rooms[grant.room].followers.append(grant.peer)
        self._tell_viewer(grant.room, grant.peer, live=True)

    def unfollow(self, follower: Follower) -> None:
        grant = follower.grant
        self.followers.discard(follower)
        if is_beside(follower):
            return
        room = self.rooms.get(grant.room)
        if room is not None and grant.peer in room.followers:
            room.followers.remove(grant.peer)
        self._tell_viewer(grant.room, grant.peer, live=False)

    def accept(self, grant: Grant, offer_text: str) -> tuple[Session, str]:
        """Open a session for an offer: (session, SDP answer). Raises as `admit`, and bad_offer or no_common_codec."""
        room = self.admit(grant)
        session, answer = self._open(room, grant, offer_text)
        opened = (grant.room, grant.peer, grant.kind)  # before, by a page that was loaded again: the newer one counts
        self._end_where(lambda each: (each.grant.room, each.grant.peer, each.grant.kind) == opened)
        self.sessions[session.id] = self._by_peer[session.peer] = session
        self._by_ufrag[session.peer.ice[0].ufrag] = session
        return session, answer

    def _open(self, room: Room, grant: Grant, offer_text: str) -> tuple[Session, str]:
        directions = SENDING if grant.kind == "publish" else ("recvonly", "sendrecv")
        offer = read_offer(offer_text, directions, PUBLISHED if grant.kind == "publish" else WATCHED)
        per_second = packets_of(room.name) if grant.kind == "publish" else REPORTS_PER_SECOND
        peer = Peer(self, offer.ufrag, offer.fingerprints, per_second)
        endpoint: Publisher | Watcher
        if grant.kind == "publish":
            check_whole(offer)
            answer, chosen = publish_answer(offer, self._local(peer))
            rate = advice(self.settings, room.name)
            ingest = Ingest(chosen, offer.extensions, room, peer.send_rtcp, rate, offer.sources)
            endpoint = Publisher(room, grant.peer, ingest)
        else:
            answer, usable = watch_answer(offer, self._local(peer), room.ssrcs)
            check_watchable(room, offer, usable)
            self.admission.check(room, wish(grant, offer), self.demands)
            shown = [section.slot for section in offer.sections]
            viewer = Viewer(grant.peer, peer, usable, room.slots, room.ask_keyframe, shown)
            viewer.size.held = not self.admission.fits_large(room, self.demands)
            endpoint = Watcher(room, viewer, partial(self._tell_viewer, room.name, grant.peer))
        peer.endpoint = endpoint
        return Session(secrets.token_urlsafe(SESSION_BYTES), room, grant, peer, endpoint), answer

    def _local(self, peer: Peer) -> Local:
        settings = self.settings
        addresses = settings.advertised_ips or (settings.udp_host,)
        if ipaddress.ip_address(addresses[0]).is_unspecified:
            addresses = self._machine_ips()
        ice = peer.ice[0]
        ports = self.mux.port, settings.start_kbps, self.mux.streams.port if self.mux.streams else 0
        return Local(ice.ufrag, ice.password, self._prints[:1], addresses, *ports)

    def _machine_ips(self) -> tuple[str, ...]:
        """The addresses of this machine, looked up anew when that was a while ago: networks change, rarely."""
        now = self.clock()
        if now - self._machine[0] > LOOK_AGAIN_SECONDS:
            self._machine = now, tuple(machine_ips(with_ipv6=self.settings.udp_host == "::"))
        return self._machine[1]

    def session(self, kind: Kind, room: str, session_id: str) -> Session | None:
        """The session of a resource, if it has not ended."""
        found = self.sessions.get(session_id)
        return found if found is not None and found.grant.kind == kind and found.room.name == room else None

    def restart(self, session: Session, remote_ufrag: str) -> Local:
        """Begin ICE anew: our side of it. Media and its keys stay as they are (RFC 8445 section 9)."""
        peer = session.peer
        former = peer.ice
        peer.restart(remote_ufrag)
        for ice in former:
            if ice not in peer.ice:
                self._by_ufrag.pop(ice.ufrag, None)
        self._by_ufrag[peer.ice[0].ufrag] = session
        return self._local(peer)

    def end(self, session: Session) -> None:
        """End a session now; its peer is told in the background."""
        if self.sessions.pop(session.id, None) is None:
            return
        peer = session.peer
        peer.closed = True
        for ice in peer.ice:
            self._by_ufrag.pop(ice.ufrag, None)
        self._by_peer.pop(peer, None)
        for address in peer.paths:
            self.forget(peer, address)
        session.endpoint.disconnected()
        peer.endpoint = None
        self._tasks.spawn(peer.dtls.close(), "close")

    def ended(self, peer: Peer) -> None:
        session = self._by_peer.get(peer)
        if session is not None:
            self.end(session)

    def _tell_publisher(self, room: str, peer: str, live: bool) -> None:
        self._tell("publisher_live" if live else "publisher_gone", room, peer)

    def _tell_viewer(self, room: str, peer: str, live: bool) -> None:
        self._tell("viewer_live" if live else "viewer_gone", room, peer)

    def refused(self, grant: Grant, code: str) -> None:
        """One who would publish or watch was refused; what is spent was counted where that was found."""
        self.counts[code] += code not in SPENT
        if grant.kind == "publish" and code in TROUBLES and grant.room in self.rooms:
            self._tell("publisher_trouble", grant.room, grant.peer, code)

    def _look_for_trouble(self, room: Room) -> None:
        if room.publisher is not None:
            peer, ingest = room.publisher
            if code := ingest.take_trouble():
                self.counts[code] += 1
                self._tell("publisher_trouble", room.name, peer, code)

    def _tell(self, kind: EventKind, room: str, peer: str, code: str = "") -> None:
        event = MediaEvent(kind, room, peer, clock.utc(), code)
        # Called by the loop: what a listener raises cannot stop a packet.
        asyncio.get_running_loop().call_soon(self._on_event, event)

    def _tell_minute(self, minute: Delivered) -> None:
        for tell in self.on_minute:
            asyncio.get_running_loop().call_soon(tell, minute)

    def watching(self) -> Iterator[Source]:
        """Who watches a lesson now, and what reached them; not who tries a line."""
        return sources(self.sessions.values(), self.followers)

    def demands(self) -> list[Demand]:
        return demands(self.sessions.values(), self.followers)

    def _look(self, now: float) -> None:
        self._looked_at = now
        self.witness.look(self.now(), self.watching())
        self.admission.look(now, clock.cpu(), self.rooms.values(), self.demands())

    # -- datagrams --------------------------------------------------------------------------------

    def _on_datagram(self, datagram: bytes, address: Address) -> None:
        kind = classify(datagram)
        if kind is DatagramKind.STUN:
            self._on_stun(datagram, address)
        elif kind is DatagramKind.OTHER:
            self.counts["unknown_kind"] += 1
        else:
            session = self._by_address.get(address)
            if session is None:
                self.counts["unknown_address"] += 1
            else:
                session.peer.on_packet(kind, datagram, address)

    def _on_stun(self, datagram: bytes, address: Address) -> None:
        message = read_check(datagram, self.counts)
        if message is None:
            return
        session = self._by_ufrag.get(ufrag_of(message))
        if session is None:
            self.counts["stun_unknown_ufrag"] += 1
            return
        session.peer.on_stun(message, len(datagram), address)
        if address in session.peer.paths:
            holder = self._by_address.get(address, session)
            if holder is not session and holder.peer.holds(address):  # a check is easily sent in another's name
                self.counts["address_held"] += 1
            else:
                self._by_address[address] = session

    def may_handshake(self, ip: str) -> bool:
        return self._budget.spend(network_of(ip), clock.monotonic())

    def forget(self, peer: Peer, address: Address) -> None:
        """This peer is not at that address any more; another one who is there by now stays."""
        holder = self._by_address.get(address)
        if holder is not None and holder.peer is peer:
            self._lost(address)
            self.mux.drop(address)

    def _lost(self, address: Address) -> None:
        self._by_address.pop(address, None)

    def start_handshake(self, peer: Peer) -> None:
        self._tasks.spawn(peer.handshake(), "handshake")

    # -- time -------------------------------------------------------------------------------------

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = clock.monotonic()
            for room in self.rooms.values():
                with spare(f"tick of {room.name}", self.counts):  # what is wrong in one room is not in the others
                    room.tick(clock.ntp(), now)
                    self._look_for_trouble(room)
            if now - self._looked_at >= LOOK_SECONDS:
                with spare("look", self.counts):
                    self._look(now)
            for session in [each for each in self.sessions.values() if self._expired(each.peer, now)]:
                self.counts["silent"] += 1
                self.end(session)

    def _expired(self, peer: Peer, now: float) -> bool:
        of = self.settings
        since, most = (peer.heard, of.liveness_seconds) if peer.connected else (peer.created, of.handshake_seconds)
        return now - since > most
