"""Fernbank in three services, each on its own port: identity issues tokens, accounts and statements verify alone."""

from collections.abc import Iterable
from dataclasses import dataclass

from labs.auth import tokens
from labs.auth.jwks import JwksClient, fetch_from
from labs.auth.keys import KeySet
from labs.auth.refresh import RefreshTokens
from labs.auth.rotation import KeyRing
from labs.auth.sessions import Sessions
from labs.auth.stores import MemoryStore, Store
from labs.bench import BenchError, Site, serve
from labs.servers.accounts import accounts
from labs.servers.bff import bff
from labs.servers.books import Books
from labs.servers.desk import Cookie, Mechanism
from labs.servers.gate import Verify
from labs.servers.identity import identity
from labs.servers.spa import spa
from labs.servers.statements import statements

__all__ = ["ISSUER", "Services", "services"]

SITE = "fernbank.localhost"
ISSUER = f"http://id.{SITE}"
"""Whose tokens they are: a name, which stays when the port changes."""


@dataclass(repr=False)
class Services:
    """Three running services on one set of books; also a context manager that stops them at the end.

    `ring` and `refresh` are identity's. `keys`: where accounts and statements find keys, by their name; with
    public keys a JwksClient each, whose `fetches` counts. `origins`: of the pages that may call the services from
    a browser, a set that may grow.
    """

    identity: Site
    accounts: Site
    statements: Site
    books: Books
    ring: KeyRing
    refresh: RefreshTokens
    keys: dict[str, tokens.Keys]
    origins: set[str]

    def login(self, name: str, audience: str = "accounts") -> dict[str, str | int]:
        """Log a customer in, over HTTP, and give what identity answers: "access_token" and the others.

        Raises BenchError for who is no customer, and when identity refuses or does not answer.
        """
        body = {"username": name, "password": self.identity.password_of(name), "audience": audience}
        answer = self.identity.visitor(name).post("/login", json=body)
        if answer.status != 200:
            raise BenchError(f"Identity answered {answer.status}: {answer.text.strip()}")
        return answer.json()

    def open_spa(self) -> Site:
        """Serve the single-page client, which calls identity and accounts from the browser, under names of theirs."""
        site = serve(spa(f"http://id.{SITE}:{self.identity.port}", f"http://api.{SITE}:{self.accounts.port}"))
        self.origins.add(site.page)
        return site

    def open_bff(self, sessions: Mechanism | None = None, cookie: Cookie | None = None) -> Site:
        """Serve a backend-for-frontend; `sessions`: default labs.auth.sessions.Sessions, in memory."""
        sessions = sessions or Sessions(MemoryStore(), clock=self.books.clock)
        return serve(bff(self.identity, self.accounts, sessions, cookie, clock=self.books.clock))

    def stop(self) -> None:
        """Stop all three."""
        for site in (self.identity, self.accounts, self.statements):
            site.stop()

    def __repr__(self) -> str:
        return f"<Services {self.identity}, {self.accounts}, {self.statements}>"

    def __enter__(self) -> "Services":
        return self

    def __exit__(self, *_) -> None:
        self.stop()


def services(
    alg: str = "ES256",
    *,
    lifetime: float = 900,
    cache: float = 300,
    store: Store | None = None,
    books: Books | None = None,
    origins: Iterable[str] = (),
) -> Services:
    """Start identity, accounts and statements. Those that a call before this one started are stopped first.

    `alg`: of the tokens. `lifetime`: of access tokens, and `cache`: for how long verifiers keep keys, in seconds.
    `store`: of refresh tokens (default: in memory). `books`: default new ones, of this learner's customers.

    Each of the two fetches identity's keys over HTTP, when its first token comes and when they are too old, so it
    goes on without identity for as long as it keeps them. With HS256 nobody fetches: all three share one secret
    from the start, which no rotation changes.
    """
    books, origins = books or Books(), set(origins)
    ring = KeyRing(ISSUER, alg, cache=cache, lifetime=lifetime, clock=books.clock)
    refresh = RefreshTokens(MemoryStore() if store is None else store, clock=books.clock)
    issuer = serve(identity(books, ring, refresh, lifetime=lifetime, origins=origins))
    keys = {name: _keys(ring, issuer, books) for name in ("accounts", "statements")}
    return Services(
        identity=issuer,
        accounts=serve(accounts(books, _verify(ring, books, keys, "accounts"), origins=origins)),
        statements=serve(statements(books, _verify(ring, books, keys, "statements"), origins=origins)),
        books=books, ring=ring, refresh=refresh, keys=keys, origins=origins,
    )  # fmt: skip


def _keys(ring: KeyRing, issuer: Site, books: Books) -> tokens.Keys:
    if ring.alg == "HS256":
        return KeySet(ring.published())
    fetch, cooldown = fetch_from(f"{issuer.url}/.well-known/jwks.json"), min(30, ring.cache)
    return JwksClient(ring.issuer, fetch, lifetime=ring.cache, cooldown=cooldown, clock=books.clock)


def _verify(ring: KeyRing, books: Books, keys: dict[str, tokens.Keys], audience: str) -> Verify:
    policy = tokens.Policy(ring.issuer, audience, keys[audience], leeway=ring.leeway)
    return lambda token: tokens.verify(token, policy, books.clock())
