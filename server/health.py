"""Decides how the service says how it is: alive, ready for requests, and its figures for Prometheus.

`/healthz` answers while the process lives. `/readyz` answers 200, or 503 while any named check fails; it names the
check and a stable word, nothing more. `/metrics` is only for this machine and the networks of `server.metrics`.
"""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from server.core.clock import elapsed_ms
from server.core.errors import DomainError
from server.core.version import VERSION
from server.core.wire.codec import encode

log = structlog.get_logger("health")

#: a check that takes longer has failed
CHECK_S: Final = 3.0
#: whoever asks more often gets the last answer again: asking costs a write to the disk
FRESH_MS: Final = 2_000
LAG_EVERY_S: Final = 0.5
SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
NOT_ANSWERING: Final = "not_answering"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
#: None when all is well, else a stable word for what is not
Check = Callable[[], Awaitable[str | None]]
#: one figure, or one for each value of the label
Reading = Callable[[], float | Mapping[str, float]]


class Health:
    """The checks and the figures of one house. Its registry is `metrics`; names there begin with `keshi_`."""

    def __init__(self) -> None:
        self.metrics = CollectorRegistry()
        ProcessCollector(namespace="keshi", registry=self.metrics)
        Gauge("keshi_version", "Which version runs", ["version"], registry=self.metrics).labels(VERSION).set(1)
        self._doors = _Doors(self.metrics)
        self._lag = Histogram(
            "keshi_loop_lag_seconds", "How late the event loop wakes", buckets=SECONDS, registry=self.metrics
        )
        self._checks: dict[str, Check] = {}
        self._lesser: set[str] = set()
        self._asked_ms = float("-inf")
        self._answer: dict[str, str] = {}
        self._asking = asyncio.Lock()

    def check(self, name: str, work: Check, vital: bool = True) -> None:
        """Ask `work` at every `/readyz`; it returns None, or a word for what is wrong.

        What is not `vital` leaves us ready and only degraded: nobody's lesson should be sent elsewhere for it.
        """
        self._checks[name] = work
        if not vital:
            self._lesser.add(name)

    def reading(self, name: str, words: str, read: Reading, label: str = "", counts: bool = False) -> None:
        """Show what `read` returns when metrics are asked for; `counts` when it only ever grows (`name` ends _total).

        Never a person in a label.
        """
        self.metrics.register(_Reading(name, words, read, label, counts))

    def told(self, kind: str, name: str, code: str, seconds: float | None) -> None:
        """A request or event has ended (core/wire/trace.py)."""
        self._doors.told(kind, name, code, seconds)

    async def ready(self) -> dict[str, str]:
        """Each check's name with "ok" or its word."""
        async with self._asking:
            now_ms = elapsed_ms()
            if now_ms - self._asked_ms > FRESH_MS:
                names = list(self._checks)
                found = await asyncio.gather(*(self._ask(name, self._checks[name]) for name in names))
                self._answer, self._asked_ms = dict(zip(names, found, strict=True)), elapsed_ms()
            return self._answer

    async def measure_lag(self) -> None:
        """How late a sleep ends: a job's work."""
        began_ms = elapsed_ms()
        await asyncio.sleep(LAG_EVERY_S)
        self._lag.observe(max((elapsed_ms() - began_ms) / 1000 - LAG_EVERY_S, 0.0))

    def serve(self, app: web.Application, may_measure: Callable[[web.Request], bool]) -> None:
        """Add /healthz, /readyz and /metrics; the last answers only whom `may_measure` lets in."""

        async def alive(_request: web.Request) -> web.Response:
            return web.json_response({"status": "ok", "version": VERSION})

        async def ready(_request: web.Request) -> web.Response:
            checks = await self.ready()
            failed = {name for name, word in checks.items() if word != "ok"}
            serves = failed <= self._lesser
            status = "not_ready" if not serves else "degraded" if failed else "ready"
            body = encode({"status": status, "version": VERSION, "checks": checks})
            return web.Response(body=body, status=200 if serves else 503, content_type="application/json")

        async def figures(request: web.Request) -> web.Response:
            if not may_measure(request):
                raise DomainError("not_found")
            return web.Response(body=generate_latest(self.metrics), headers={"Content-Type": CONTENT_TYPE_LATEST})

        for path, handler in (("/healthz", alive), ("/readyz", ready), ("/metrics", figures)):
            app.router.add_get(path, handler)

    async def _ask(self, name: str, work: Check) -> str:
        try:
            async with asyncio.timeout(CHECK_S):
                word = await work()
        except Exception as error:  # noqa: BLE001  whatever it is, we are not ready
            word = NOT_ANSWERING
            log.warning("check_failed", check=name, error=type(error).__name__)
        return word or "ok"


def from_networks(address: str, networks: Iterable[Network]) -> bool:
    """Whether an address is this machine's own or lies in one of the networks."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None) or found
    return mapped.is_loopback or any(mapped in network for network in networks)


class _Doors:
    """Requests and events by door and outcome. The beat's line is how long trainees wait for their acknowledgement."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._count = {
            "request": Counter("keshi_requests_total", "Requests answered", ["route", "code"], registry=registry),
            "event": Counter("keshi_events_total", "Events acknowledged", ["event", "code"], registry=registry),
        }
        self._seconds = {
            "request": Histogram(
                "keshi_request_seconds", "Until answered", ["route"], buckets=SECONDS, registry=registry
            ),
            "event": Histogram(
                "keshi_event_seconds", "Until acknowledged", ["event"], buckets=SECONDS, registry=registry
            ),
        }

    def told(self, kind: str, name: str, code: str, seconds: float | None) -> None:
        self._count[kind].labels(name, code).inc()
        if seconds is not None:
            self._seconds[kind].labels(name).observe(seconds)


class _Reading(Collector):
    """A figure that is read when it is asked for."""

    def __init__(self, name: str, words: str, read: Reading, label: str, counts: bool) -> None:
        self._name, self._words, self._read, self._label = name, words, read, label
        self._family = CounterMetricFamily if counts else GaugeMetricFamily

    def describe(self) -> list[Metric]:
        """So that registering reads nothing."""
        return [self._family(self._name, self._words)]

    def collect(self) -> Iterable[Metric]:
        family = self._family(self._name, self._words, labels=[self._label] if self._label else [])
        found = self._read()
        for value, figure in found.items() if isinstance(found, Mapping) else [("", found)]:
            family.add_metric([value] if self._label else [], figure)
        yield family
