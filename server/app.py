"""The composition root: the only place that sees everything and chooses the adapters."""

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry

from media.api import Recordings
from media.described import described
from server import accounts, attendance, exchange, ledger, live, oversight, playback, training
from server import demo as demonstration
from server.accounts.rules import SESSION_MS
from server.accounts.service import Accounts
from server.attendance import Presence
from server.attendance.api import LEASE_LOST, LEASE_PROBE, lease_lost
from server.attendance.challenges.api import CHALLENGE_STATE
from server.attendance.challenges.lesson import ChallengeState
from server.attendance.challenges.prompts import Prompts
from server.attendance.challenges.service import Challenges
from server.attendance.lease import End
from server.attendance.register import SPOOL, Holder, Register
from server.attendance.service import Attendance, Ports
from server.attendance.settlements.service import Settlements
from server.core.capability import Capability
from server.core.clock import Clock, SystemClock
from server.core.cluster.member import Member
from server.core.database import Database, sqlite_url
from server.core.ntp import Ntp, read_server
from server.core.shared import InProcess, OverRedis, Shared
from server.core.tasks import Tasks
from server.core.timekeeper import FILE, DatabaseTime, Reference, TimeKeeper
from server.core.vault import Vault, open_vault
from server.core.wire.declaration import Declarations, Download, Nothing
from server.core.wire.errands import ClusterFanOut
from server.core.wire.fan_out import FanOut
from server.core.wire.openapi import openapi
from server.core.wire.rest import Rest
from server.core.wire.socket import Sockets
from server.core.wire.trace import Trace
from server.demo.tamper import Tamper
from server.exchange.api import LedgerRequest
from server.health import Health
from server.ledger.keys import keys_in
from server.ledger.service import Ledger
from server.ledger.tiles import TileFolder
from server.ledger.witnesses import Witnesses
from server.live import files as lesson_files
from server.live.acts.polls_api import Kept
from server.live.files.service import LessonFiles
from server.live.media_door import Door, EmbeddedMedia
from server.live.media_worker import WorkerMedia
from server.live.service import Live, peer_of
from server.oversight.retention import Retention
from server.pages import CHECKER, PAGES
from server.settings import RECORDINGS, Config
from server.several import Several, be_one_of_several
from server.tls.https import authority_file
from server.training.service import Training

PROBE_S: Final = 3.0
#: where the log's files lie in the data folder
LOG: Final = "log"
#: which of the vault's keys media tokens are signed with
MEDIA_KEY: Final = "media.token"
#: logged at debug while they go well: there are hundreds of them a second
QUIET: Final = frozenset({"beat", "GET /healthz", "GET /readyz", "GET /metrics", "GET /assets"})


@dataclass(frozen=True, slots=True)
class Store:
    """What every capability rests on."""

    database: Database
    clock: Clock
    vault: Vault
    tasks: Tasks
    folder: Path
    shared: Shared
    health: Health = field(default_factory=Health)
    #: None where tests move the clock by hand
    time: TimeKeeper | None = None


@dataclass(frozen=True, slots=True)
class House:
    """Everything, built and not yet started."""

    store: Store
    trace: Trace
    rest: Rest
    sockets: Sockets
    media: Door
    accounts: Accounts
    training: Training
    register: Register
    challenges: Challenges
    settlements: Settlements
    live: Live
    several: Several | None
    exchange: Any
    files: LessonFiles
    log: Ledger
    retention: Retention
    capabilities: tuple[Capability[Any], ...]

    @property
    def health(self) -> Health:
        """Where checks and figures are registered."""
        return self.store.health

    @property
    def metrics(self) -> CollectorRegistry:
        """The registry of this house's figures; every name in it begins with `keshi_`."""
        return self.store.health.metrics

    @property
    def document(self) -> dict[str, Any]:
        """What programs may ask over HTTP, as OpenAPI."""
        return openapi(self.declarations.routes, self.rest.cookie, described())

    @property
    def declarations(self) -> Declarations:
        """What all capabilities serve together."""
        joined = Declarations()
        for capability in self.capabilities:
            joined.add(capability.declarations)
        return joined


def open_keys(config: Config) -> Vault:
    """The keys of a configuration; the media worker reads them and no more. Raises DomainError key_damaged."""
    return open_vault(config.server.data / "keys")


def open_store(config: Config, clock: Clock) -> Store:
    """The data folder of a configuration. Raises DomainError key_damaged."""
    folder = config.server.data
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    given, redis = config.store.database, config.store.redis
    database = Database(given.get_secret_value() if given else sqlite_url(folder / "keshi.db"))
    time = _time_keeper(config, database, clock) if isinstance(clock, SystemClock) else None
    vault, tasks = open_keys(config), Tasks()
    shared: Shared = InProcess(clock, tasks)
    if redis:
        shared = OverRedis(redis.get_secret_value(), vault.key("shared"), clock, tasks)
    return Store(database, clock, vault, tasks, folder, shared, time=time)


def be_member(config: Config, store: Store) -> Member | None:
    """What makes this process one of several: with PostgreSQL it is, even while there is no other."""
    if store.database.embedded:
        return None
    shares = config.store.redis is not None and config.media.mode == "worker"
    return be_one_of_several(store.database, store.clock, store.vault, store.folder, shares)


def _time_keeper(config: Config, database: Database, clock: SystemClock) -> TimeKeeper:
    """Who steers ledger time: the database server where there is one, so that all processes agree; else NTP servers."""
    references: list[Reference] = [DatabaseTime(database)] if database.engine.dialect.name == "postgresql" else []
    if config.time.ntp:
        references.append(Ntp([read_server(server) for server in config.time.ntp]))
    return TimeKeeper(clock, config.server.data / FILE, references)


def build(
    config: Config, store: Store, url: str, origins: frozenset[str], demo: bool, member: Member | None = None
) -> House:
    """Choose the adapters and wire the capabilities together. `url` is how browsers reach us, without a slash.

    `member` is what makes this process one of several.
    """
    database, clock = store.database, store.clock
    people = _people(config, store, demo)
    classes = training.build(database=database, clock=clock, accounts=people.service, demo=demo)
    watch = oversight.build(database=database, clock=clock)
    rest = Rest(people.service.authenticate, watch.record_view, origins, SESSION_MS // 1000)
    trace = Trace(store.health.told, QUIET)
    sockets = Sockets(people.service.authenticate, watch.record_view, origins, trace, member)
    log = _log(config, store)
    given = lesson_files.build(
        database=database, clock=clock, tasks=store.tasks, folder=store.folder, training=classes.service
    )
    room = _classroom(config, store, people.service, classes.service, log.service, sockets, member, given.service)
    files = _files(people.service, classes.service, room.presence.service, log.service, store, url)
    recordings = Recordings(store.folder / RECORDINGS)
    replays = playback.build(training=classes.service, recordings=recordings, observe=watch.record_view, clock=clock)
    looks = oversight.declare(watch, classes.service, room.presence.service)
    extra = (_demo(config, store, people.service, classes.service, url),) if demo else ()
    return House(
        store=store,
        trace=trace,
        rest=rest,
        sockets=sockets,
        media=room.media,
        accounts=people.service,
        training=classes.service,
        register=room.register,
        challenges=room.presence.service.challenges,
        settlements=room.presence.service.settlements,
        live=room.lessons.service,
        several=room.several,
        exchange=files.service,
        files=given.service,
        log=log.service,
        retention=looks.service,
        capabilities=(log, people, classes, room.presence, room.lessons, given, replays, files, looks, *extra),
    )


def _people(config: Config, store: Store, demo: bool) -> Capability[Accounts]:
    return accounts.build(
        database=store.database,
        clock=store.clock,
        vault=store.vault,
        counters=store.shared,
        demo=demo,
        limits=config.limits,
    )


def _log(config: Config, store: Store) -> Capability[Ledger]:
    files, keys = TileFolder(store.folder / LOG), keys_in(config.server.data / "keys")
    heard = partial(store.time.heard, "witness") if store.time else lambda _offset_ms: None
    witnesses = Witnesses([one.known for one in config.ledger.witnesses], store.clock, heard=heard)
    kept = ledger.build(Ledger(store.database, store.clock, files, keys.signer, witnesses, keys.notes))
    store.health.check("ledger", kept.service.problem)
    store.health.check("witnesses", witnesses.problem, vital=False)
    return kept


def _files(
    people: Accounts, classes: Training, presence: Presence, log: Ledger, store: Store, url: str
) -> Capability[Any]:
    return exchange.build(
        accounts=people,
        training=classes,
        attendance=presence.views,
        settlements=presence.settlements,
        log=log,
        clock=store.clock,
        url=url,
        checker=PAGES / CHECKER,
        polls=Kept(store.database, classes, {one.name: one for one in live.activities(store.vault)}, people.names),
    )


@dataclass(frozen=True, slots=True)
class _Classroom:
    """What a lesson is taught with."""

    register: Register
    media: Door
    presence: Capability[Presence]
    lessons: Capability[Live]
    several: Several | None = None


def _classroom(
    config: Config,
    store: Store,
    people: Accounts,
    classes: Training,
    log: Ledger,
    sockets: Sockets,
    member: Member | None,
    given: LessonFiles,
) -> _Classroom:
    """Attendance, media and lessons, and with a `member` their ties to other processes."""
    media, shared = _media(config, store), ClusterFanOut(sockets.fan_out, member, store.shared) if member else None
    fan_out = shared or sockets.fan_out
    presence = attendance.build(
        register=_register(store, member),
        vault=store.vault,
        ports=_ports(fan_out, people, log),
        training=classes,
        names=people.names,
        show=partial(_show, fan_out),
        witnessed=media.deliveries.seen,
        provider=Prompts(),
    )
    lessons = live.build(
        database=store.database,
        training=classes,
        presence=presence.service,
        media=media,
        fan_out=fan_out,
        stands=people.sessions.stands,
        names=people.names,
        tasks=store.tasks,
        vault=store.vault,
        file_of=given.file,
    )
    _bind_ends(people, sockets, presence.service.attendance, lessons.service, media)
    room = _Classroom(presence.service.attendance.register, media, presence, lessons)
    if member is not None and shared is not None:
        several = Several(member, store.shared, shared, config.server.internal, presence.service, lessons.service)
        room = _with_others(room, several, store, people, sockets)
    return room


def _register(store: Store, member: Member | None) -> Register:
    folder = (member.folder.path if member else store.folder) / SPOOL
    return Register(store.database, store.clock, store.tasks, folder, member)


def _with_others(room: _Classroom, several: Several, store: Store, people: Accounts, sockets: Sockets) -> _Classroom:
    """The classroom and its ties to other processes."""
    several.bind(sockets, people)
    store.health.check("cluster", several.problem)
    return replace(room, several=several)


def _media(config: Config, store: Store) -> Door:
    key = store.vault.key(MEDIA_KEY)
    door: Door
    if config.media.mode == "worker":
        door = WorkerMedia(config.media.socket_in(store.folder), key, store.clock, store.tasks)
    else:
        settings = config.media.for_media(config.server.host, store.folder)
        door = EmbeddedMedia(settings, key, store.clock, store.tasks)
    door.ice_servers = config.media.servers(store.folder)
    return door


def _demo(config: Config, store: Store, people: Accounts, classes: Training, url: str) -> Capability[Any]:
    return demonstration.build(
        accounts=people,
        training=classes,
        clock=store.clock,
        tasks=store.tasks,
        url=url,
        folder=store.folder,
        tamper=Tamper(store.database, classes, store.folder, partial(_package_of_copy, config, store, url)),
        authority=authority_file(config.tls, store.folder),
    )


async def _package_of_copy(config: Config, store: Store, url: str, copy: Path, request: LedgerRequest) -> Download:
    """What would be exported of a class if this copy were the database."""
    database = Database(sqlite_url(copy))
    try:
        house = build(config, replace(store, database=database, health=Health(), time=None), url, frozenset(), False)
        made: Download = await house.exchange.package(request.class_id, request.language)
        house.accounts.close()
        return made
    finally:
        await database.close()


def _ports(fan_out: FanOut, people: Accounts, log: Ledger) -> Ports:
    async def answers(connection: str) -> bool:
        return await fan_out.ask(connection, LEASE_PROBE, Nothing(), PROBE_S)

    async def tell_lost(holder: Holder, reason: End, device: str, at_ms: int) -> None:
        if holder.connection:
            lost = lease_lost(holder.lesson_id, reason, device, at_ms)
            await fan_out.send(holder.connection, LEASE_LOST, lost)

    return Ports(people.verify_password, answers, tell_lost, log)


async def _show(fan_out: FanOut, connection: str, state: ChallengeState) -> bool:
    return await fan_out.ask(connection, CHALLENGE_STATE, state, PROBE_S)


async def _cut(media: Door, holder: Holder) -> None:
    """Every end of a lease ends its media, also when its page's socket is gone and its media still there."""
    await media.cut(peer_of(holder.person_id, holder.epoch))


def _bind_ends(people: Accounts, sockets: Sockets, presence: Attendance, lessons: Live, media: Door) -> None:
    """What ends together: a login with its lease, sockets and media; a connection with its control and its page."""
    people.on_session_end.append(presence.session_ended)
    people.on_session_end.append(sockets.cut)
    people.on_session_end.append(lessons.signed_out)
    sockets.when_gone(presence.gone)
    sockets.when_gone(lessons.gone)
    presence.register.on_lease_end.append(partial(_cut, media))
