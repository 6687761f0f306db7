"""Decides how a certificate is fetched: ACME (RFC 8555) with HTTP-01, and again in time before it ends.

The library waits with its thread, so each order runs in a thread of its own; only `answers` is shared with the
loop.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import josepy.errors
import josepy.jwa
import josepy.jwk
import josepy.util
import requests
import structlog
from acme import challenges, client, messages
from acme import errors as acme_errors
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from server.core.clock import Clock
from server.core.errors import DomainError
from server.core.version import VERSION
from server.tls.context import Context
from server.tls.pair import Pair, key_pem, new_key, read_pair, write_file, write_pair
from server.tls.settings import TlsSettings

log = structlog.get_logger("tls.acme")

ACCOUNT: Final = "account.key"
CERTIFICATE: Final = "acme.pem"
DAY_MS: Final = 86_400_000
RENEW_DAYS: Final = 30
#: of certificates that live shorter than 90 days, the last third
RENEW_SHARE: Final = 3
LOOK_S: Final = 12 * 3_600
NETWORK_S: Final = 30


class Acme:
    """The certificate of one name. `answers`: what the plain-HTTP port tells the authority, by path."""

    def __init__(self, settings: TlsSettings, host: str, folder: Path, clock: Clock, context: Context) -> None:
        self._settings, self._host, self._folder = settings, host, folder
        self._clock, self._context = clock, context
        self.answers: dict[str, str] = {}

    async def load(self) -> None:
        """Serve what is there; fetch it where it is missing or no longer valid. Raises DomainError acme_failed."""
        if self._served() is None:
            await self._fetch()

    async def look(self) -> None:
        """Fetch anew in time; a failure is logged by the job's runner, and what is served goes on."""
        served = self._served()
        if served is None or self._clock.ms() >= renew_at(served):
            await self._fetch()

    def _served(self) -> Pair | None:
        """The pair on disk, given to the context; None when it may not be served."""
        file = self._folder / CERTIFICATE
        try:
            found = read_pair(file, file)
            self._check(found)
        except DomainError:
            return None
        self._context.use(file, file)
        return found

    def _check(self, pair: Pair) -> None:
        """Not whether it is valid yet: the authority's clock may be ahead of ours."""
        pair.check(self._host, max(self._clock.ms(), pair.from_ms))

    async def _fetch(self) -> None:
        fetched = await asyncio.to_thread(self._order)
        self._check(fetched)
        write_pair(self._folder / CERTIFICATE, fetched)
        self._context.use(self._folder / CERTIFICATE, self._folder / CERTIFICATE)
        log.info("certificate_fetched", host=self._host)

    def _order(self) -> Pair:
        """One order from first to last. Raises DomainError acme_failed with the authority's own words."""
        try:
            account = self._account()
            key = new_key()
            order = account.new_order(_request(self._host, key))
            with self._answering(account, order):
                done = account.poll_and_finalize(order)
            return Pair(tuple(x509.load_pem_x509_certificates(done.fullchain_pem.encode())), key)
        except acme_errors.ValidationError as error:
            raise DomainError("acme_failed", host=self._host, problem=_why(error)) from error
        except (acme_errors.Error, josepy.errors.Error, requests.RequestException, ValueError) as error:
            problem = getattr(error, "detail", None) or f"{type(error).__name__} {error}"
            raise DomainError("acme_failed", host=self._host, problem=str(problem)[:500]) from error

    def _account(self) -> client.ClientV2:
        """The account under DATA/tls, made at the first order."""
        net = client.ClientNetwork(
            self._account_key(), alg=josepy.jwa.ES256, user_agent=f"keshi/{VERSION}", timeout=NETWORK_S
        )
        directory = client.ClientV2.get_directory(self._settings.acme_directory, net)
        found = client.ClientV2(directory, net)
        terms = messages.NewRegistration.from_data(
            email=self._settings.acme_email, terms_of_service_agreed=self._settings.acme_agree_terms
        )
        try:
            found.new_account(terms)
        except acme_errors.ConflictError as known:
            net.account = messages.RegistrationResource(uri=known.location, body=messages.Registration())
        return found

    def _account_key(self) -> josepy.jwk.JWKEC:
        file = self._folder / ACCOUNT
        if not file.exists():
            write_file(file, key_pem(new_key()))
        key = serialization.load_pem_private_key(file.read_bytes(), password=None)
        return josepy.jwk.JWKEC(key=josepy.util.ComparableECKey(key))  # type: ignore[arg-type]

    @contextmanager
    def _answering(self, account: client.ClientV2, order: messages.OrderResource) -> Iterator[None]:
        """Answer the authority's challenges while the block runs."""
        told: dict[str, str] = {}
        for asked in order.authorizations:
            if asked.body.status == messages.STATUS_VALID:
                continue
            challenge = next(one for one in asked.body.challenges if isinstance(one.chall, challenges.HTTP01))
            response, answer = challenge.response_and_validation(account.net.key)
            told[challenge.chall.path] = answer
            self.answers.update(told)
            account.answer_challenge(challenge, response)
        try:
            yield
        finally:
            for path in told:
                self.answers.pop(path, None)


def renew_at(pair: Pair) -> int:
    """The ledger millisecond from which a certificate is fetched anew."""
    return pair.until_ms - min(RENEW_DAYS * DAY_MS, (pair.until_ms - pair.from_ms) // RENEW_SHARE)


def _request(host: str, key: ec.EllipticCurvePrivateKey) -> bytes:
    names = x509.SubjectAlternativeName([x509.DNSName(host)])
    asked = x509.CertificateSigningRequestBuilder(x509.Name([])).add_extension(names, critical=False)
    return asked.sign(key, SHA256()).public_bytes(Encoding.PEM)


def _why(error: acme_errors.ValidationError) -> str:
    problems = [one.error for each in error.failed_authzrs for one in each.body.challenges if one.error is not None]
    return "; ".join(str(problem.detail or problem) for problem in problems)[:500]
