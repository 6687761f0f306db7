"""The composition root: the only place that sees everything and chooses the adapters."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from media.api import Grant, Media, MediaEvent
from media.api import build as build_media
from server import accounts, attendance, exchange, live, oversight, training
from server import demo as demonstration
from server.accounts.service import Accounts
from server.attendance.api import LEASE_LOST, LEASE_PROBE, lease_lost
from server.attendance.lease import End
from server.attendance.register import Holder, Register
from server.attendance.service import Ports
from server.core.capability import Capability
from server.core.clock import Clock
from server.core.database import Database, sqlite_url
from server.core.tasks import Tasks
from server.core.vault import Vault, open_vault
from server.core.wire.declaration import Declarations, Nothing
from server.core.wire.rest import Rest
from server.core.wire.socket import Sockets
from server.live.api import peer_of
from server.live.service import Live
from server.settings import Config
from server.training.service import Training

MEDIA_TOKEN_S: Final = 600
PROBE_S: Final = 3.0
SESSION_S: Final = 12 * 3600


class MediaDoor:
    """Media in this process, as `live` asks for it."""

    def __init__(self, media: Media, clock: Clock) -> None:
        self._media = media
        self._clock = clock

    async def open_room(self, room: str) -> None:
        await self._media.open_room(room)

    async def close_room(self, room: str) -> None:
        await self._media.close_room(room)

    async def cut(self, peer: str) -> None:
        await self._media.cut(peer)

    def token(self, room: str, peer: str, publish: bool) -> str:
        kind: Any = "publish" if publish else "watch"
        return self._media.token(Grant(room, peer, kind, self._clock.ms() // 1000 + MEDIA_TOKEN_S))


@dataclass(frozen=True, slots=True)
class Store:
    """What every capability rests on."""

    database: Database
    clock: Clock
    vault: Vault
    tasks: Tasks
    folder: Path


@dataclass(frozen=True, slots=True)
class House:
    """Everything, built and not yet started."""

    store: Store
    rest: Rest
    sockets: Sockets
    media: Media
    accounts: Accounts
    training: Training
    register: Register
    live: Live
    exchange: Any
    capabilities: tuple[Capability[Any], ...]

    @property
    def declarations(self) -> Declarations:
        """What all capabilities serve together."""
        joined = Declarations()
        for capability in self.capabilities:
            joined.add(capability.declarations)
        return joined


def open_store(config: Config, clock: Clock) -> Store:
    """The data folder of a configuration. Raises DomainError key_damaged."""
    folder = config.server.data
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(sqlite_url(folder / "keshi.db"))
    return Store(database, clock, open_vault(folder / "keys"), Tasks(), folder)


def build(config: Config, store: Store, url: str, origins: frozenset[str], demo: bool) -> House:
    """Choose the adapters and wire the capabilities together. `url` is how browsers reach us, without a slash."""
    people = accounts.build(database=store.database, clock=store.clock, vault=store.vault, demo=demo)
    classes = training.build(database=store.database, clock=store.clock, accounts=people.service, demo=demo)
    watch = oversight.build(database=store.database, clock=store.clock)

    rest = Rest(people.service.authenticate, watch.record_view, origins, SESSION_S)
    sockets = Sockets(people.service.authenticate, watch.record_view, origins)
    register = Register(store.database, store.clock, store.tasks, store.folder / "spool")
    listen: list[Callable[[MediaEvent], None]] = []
    media = build_media(
        config.media.for_media(config.server.host), store.vault.key("media.token"), lambda event: listen[0](event)
    )
    door = MediaDoor(media, store.clock)
    presence = attendance.build(
        register=register,
        vault=store.vault,
        ports=_ports(sockets, people.service, door),
        training=classes.service,
        show=classes.service.show,
    )
    lessons = live.build(
        database=store.database,
        training=classes.service,
        presence=presence.service,
        media=door,
        show=classes.service.show,
        fan_out=sockets.fan_out,
    )
    listen.append(lambda event: _media_event(store.tasks, lessons.service, event))
    files = exchange.build(
        accounts=people.service,
        training=classes.service,
        attendance=presence.service.views,
        clock=store.clock,
        url=url,
    )
    looks = oversight.declare(watch, classes.service, presence.service, classes.service.show)
    _bind_ends(people.service, sockets, presence.service.attendance, lessons.service)
    capabilities: tuple[Capability[Any], ...] = (people, classes, presence, lessons, files, looks)
    if demo:
        capabilities += (
            demonstration.build(
                accounts=people.service,
                training=classes.service,
                clock=store.clock,
                tasks=store.tasks,
                url=url,
                folder=store.folder,
            ),
        )
    return House(
        store=store,
        rest=rest,
        sockets=sockets,
        media=media,
        accounts=people.service,
        training=classes.service,
        register=register,
        live=lessons.service,
        exchange=files.service,
        capabilities=capabilities,
    )


def _ports(sockets: Sockets, people: Accounts, media: MediaDoor) -> Ports:
    async def answers(connection: str) -> bool:
        return await sockets.fan_out.ask(connection, LEASE_PROBE, Nothing(), PROBE_S)

    async def tell_lost(holder: Holder, reason: End, device: str, at_ms: int) -> None:
        await sockets.fan_out.send(holder.connection, LEASE_LOST, lease_lost(holder.lesson_id, reason, device, at_ms))
        await media.cut(peer_of(holder.person_id, holder.epoch))

    return Ports(verify_password=people.verify_password, answers=answers, tell_lost=tell_lost)


def _bind_ends(people: Accounts, sockets: Sockets, presence: Any, lessons: Live) -> None:
    """What ends together: a login with its lease and sockets; a connection with its control and its page."""
    people.on_session_end.append(presence.session_ended)
    people.on_session_end.append(sockets.cut)
    sockets.when_gone(presence.gone)
    sockets.when_gone(lessons.gone)


def _media_event(tasks: Tasks, lessons: Live, event: MediaEvent) -> None:
    if event.kind in ("publisher_live", "publisher_gone"):
        tasks.spawn("media_event", lessons.published(event.room, event.kind == "publisher_live"))
