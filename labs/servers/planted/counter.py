"""Accounts behind a gate of lab 39: the issuer's keys and tokens, and what Mallory has of them."""

import time
from collections.abc import Callable
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import Response, request

from labs.auth import algorithms
from labs.auth.stores import MemoryStore, StoreDown
from labs.auth.token_errors import TokenRefused
from labs.bench import Site, learner_seed, serve
from labs.servers.accounts import accounts
from labs.servers.answers import answer
from labs.servers.books import Books
from labs.servers.gate import bearer
from labs.servers.office import Office, ask
from labs.servers.planted.mallory import written

__all__ = ["GONE", "GateBank", "Issuer", "as_mallory", "counter", "gate_bank"]

GONE = object()
"""In a dict of changes: this member is left out."""


class Issuer:
    """Who issues Fernbank's tokens. All of it is drawn from `random`.

    `policy`: plain data, as the gate is given it. `signs(kid)`: signs bytes with the key of this name.
    """

    def __init__(self, random: Random, now: float) -> None:
        self.random = random
        self.policy = {
            "issuer": f"https://id-{random.randrange(10_000)}.fernbank.example/bank",
            "audience": f"accounts-{random.randrange(100)}",
            "typ": random.choice(["at+jwt", "fern+jwt", "counter+jwt"]),
            "leeway": random.randrange(30, 60),
            "keys": [],
        }
        self._private: dict[str, Any] = {}
        self.es256, self.hs256 = self._key("ES256"), self._key("HS256")
        self.leaving = self._key("HS256", until=int(now) + random.randrange(600, 3600))
        self.retired = self._key("HS256", until=int(now) - random.randrange(3600, 86_400))
        self.left = self._key("ES256", until=int(now))
        random.shuffle(self.policy["keys"])

    def _key(self, alg: str, until: int | None = None) -> dict[str, Any]:
        random = self.random
        kid = f"{random.choice(['fern', 'moss', 'reed', 'sedge'])}-{random.getrandbits(24):06x}"
        if alg == "HS256":
            text = random.randbytes(32).hex()
            private = text.encode()
        else:
            private = ec.derive_private_key(random.randrange(1, algorithms.ORDER), ec.SECP256R1())
            form = Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
            text = private.public_key().public_bytes(*form).decode()
        self._private[kid] = private
        self.policy["keys"].append({"kid": kid, "alg": alg, "text": text, "until": until})
        return self.policy["keys"][-1]

    def signs(self, key: dict[str, Any]) -> Callable[[bytes], bytes]:
        """A function that signs bytes with this key of the policy."""
        return lambda data: algorithms.sign(key["alg"], self._private[key["kid"]], data)

    def header(self, key: dict[str, Any], /, **changes: Any) -> dict[str, Any]:
        """What the header of an honest token says, with changes."""
        return _changed({"alg": key["alg"], "typ": self.policy["typ"], "kid": key["kid"]}, changes)

    def claims(self, user: Any, now: float, /, **changes: Any) -> dict[str, Any]:
        """What an honest token about `user` says, with changes."""
        honest = {
            "iss": self.policy["issuer"], "sub": user, "aud": self.policy["audience"],
            "iat": int(now) - self.random.randrange(1, 60), "exp": int(now) + self.random.randrange(300, 900),
            "jti": f"{self.random.getrandbits(64):016x}", "roles": [],
        }  # fmt: skip
        return _changed(honest, changes)

    def token(
        self, user: Any, now: float, key: dict[str, Any] | None = None, /, header: dict | None = None, **claims: Any
    ) -> str:
        """A token about `user`, signed with a key (default: one of the two that stay), with changes."""
        key = key or self.random.choice([self.es256, self.hs256])
        return written(self.header(key, **(header or {})), self.claims(user, now, **claims), self.signs(key))

    # ---- what Mallory has --------------------------------------------------------------------------------------

    def loot(self, now: float, end: Callable[[str, float], None]) -> dict[str, Any]:
        """What Mallory has at `now`: plain data, as the lab's page describes it. `end(token, then)` ends tokens."""
        return {
            "keys": [self._known(key) for key in self.policy["keys"]],
            "mine": {
                "es256": self.token("mallory", now, self.es256),
                "hs256": self.token("mallory", now, self.hs256),
                "fair": self.token("mallory", now, roles=["storyteller"]),
                "club": self.token("mallory", now, clubs=["chess", "teller"]),
                "nickname": self.token("mallory", now, preferred_username="ana"),
                "second": self.token("Ana", now),
                "test": self.token("ana", now, iss=f"{self.policy['issuer']}-test"),
            },
            "anas": self._log(now, end),
        }

    def _known(self, key: dict[str, Any]) -> dict[str, Any]:
        """What everybody knows of a key: all, but for a secret that has not leaked."""
        return key if key["alg"] == "ES256" or key is self.retired else key | {"text": None}

    def _log(self, now: float, end: Callable[[str, float], None]) -> dict[str, str]:
        """Tokens of Ana's, none of which is good here any more, or ever was."""
        draw, typ = self.random.randrange, self.policy["typ"]
        found = {
            "id": self.token("ana", now, header={"typ": "JWT"}, nonce=f"{draw(2**32):08x}"),
            "logout": self.token("ana", now, header={"typ": "logout+jwt"}, sid=f"{draw(2**32):08x}"),
            "archive": self.token("ana", now, aud=f"{self.policy['audience']}-archive"),
            "statements": self.token("ana", now, aud=["statements", "cards"]),
            "early": self.token("ana", now, aud=GONE),
            "standing": self.token("ana", now, exp=GONE),
            "over": self.token("ana", now, iat=int(now) - 2400, exp=int(now) - draw(600, 1200)),
            "phone": self.token("ana", now, header={"typ": typ, "crit": ["device"], "device": f"phone-{draw(1000)}"}),
        }
        for name, ago, left in ("ended", 60, 600), ("late", 60, -draw(2, 15)), ("long", draw(1200, 2400), 600):
            found[name] = self.token("ana", now - ago, self.es256, exp=int(now) + left)
            end(found[name], now - ago)
        return found


def _changed(members: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (members | changes).items() if value is not GONE}


def _asked(call: Callable[..., Any], *args: Any) -> Any:
    """What a gate says. Raises TokenRefused where it raises its Refused: each planted gate has a class of its own."""
    try:
        return call(*args)
    except Exception as error:
        if type(error).__name__ != "Refused":
            raise
        raise TokenRefused(str(error) or "The token is refused.") from None


def counter(books: Books, gate: Any) -> Office:
    """Accounts behind a gate: an object with verify(token, now) and end(token, now). POST /end ends a token."""
    app = accounts(books, lambda token: _asked(gate.verify, token, books.clock()))

    @app.post("/end")
    def end() -> Response:
        token, may_raise = request.headers.get("Authorization", "").removeprefix("Bearer "), (TokenRefused, StoreDown)
        try:
            ask("gate", lambda: _asked(gate.end, token, books.clock()), may_raise=may_raise)
        except TokenRefused as refused:
            raise bearer(401, "invalid_token", str(refused)) from None
        return answer({})

    return app


# ---- to try raids by hand ----------------------------------------------------------------------------------------


def as_mallory(site: Site) -> Callable[..., dict[str, Any]]:
    """`http(method, path, headers, body)` of a raid: a body is text, or a dict that is sent as JSON."""

    def http(method: str, path: str, headers: dict | None = None, body: Any = None) -> dict[str, Any]:
        content = {"json": body} if isinstance(body, dict) else {"body": body}
        response = site.visitor("mallory").request(method, path, headers=headers, **content)
        pairs = [[name, value] for name, value in response.headers.items()]
        return {"status": response.status, "headers": pairs, "body": response.text}

    return http


class GateBank:
    """A running counter behind a gate of this class. `site` is where it runs, `http` sends to it as Mallory."""

    def __init__(self, kind: type) -> None:
        self.issuer = Issuer(Random(f"{learner_seed()}/gate"), time.time())
        self.gate = kind(self.issuer.policy, MemoryStore())
        self.site = serve(counter(Books(), self.gate), name="gate")
        self.http = as_mallory(self.site)

    def loot(self) -> dict[str, Any]:
        """What Mallory has, fresh."""
        return self.issuer.loot(time.time(), self.gate.end)

    def raid(self, method: Callable[[Callable, dict], Any]) -> list[str]:
        """Run a raid, method(http, loot). Returns what Ana lost by it, from the bank's own record."""
        before = len(self.site.record.lost("ana"))
        method(self.http, self.loot())
        return [str(loss) for loss in self.site.record.lost("ana")[before:]]


def gate_bank(kind: type) -> GateBank:
    """Start a counter behind a gate of this class, `kind(policy, store)`; one that was started before is stopped."""
    return GateBank(kind)
