"""Every attack on the gate of lab 39, by the place that it goes for: tokens that are wrong in one way, and no other.

Each is what the token is, in words, and the token. The first of a place is the one that lessons show, or nearly; the
others are variants. Whoever is believed with one of them moves Ana's money: it says that it is Ana's, or a teller's.
"""

import json
from collections.abc import Callable, Iterator
from itertools import product

from labs.auth import base64url
from labs.auth.algorithms import ORDER
from labs.servers.planted.counter import GONE, Issuer
from labs.servers.planted.mallory import signing, written

__all__ = ["ATTACKS", "Attack", "End", "attacks"]

Attack = tuple[str, str]
End = Callable[[str, float], None]
"""Ends a token at a time, at the gate that is attacked."""


def attacks(place: str, issuer: Issuer, now: float, end: End) -> list[Attack]:
    """The attacks on a place at `now`; those on what has been ended end some tokens first."""
    return list(ATTACKS[place](issuer, now, end))


def unsigned(data: bytes) -> bytes:
    """No signature."""
    return b""


def split(issuer: Issuer, now: float, end: End) -> Iterator[Attack]:
    head, own, signature = issuer.token("mallory", now).split(".")
    anas = base64url.encode(json.dumps(issuer.claims("ana", now)).encode())
    yield "Mallory's own token, with claims about Ana before its signature", f"{head}.{own}.{anas}.{signature}"
    yield "the same with one part more", f"{head}.{own}.{own}.{anas}.{signature}"
    yield "the same with an empty part", f"{head}.{own}..{anas}.{signature}"
    yield "Mallory's own token, with claims about Ana behind its header", f"{head}.{anas}.{own}.{signature}"
    yield "Mallory's own token, and claims about Ana behind it", f"{head}.{own}.{signature}.{anas}"
    yield (
        "Mallory's own token, and then her signature under claims about Ana",
        (f"{head}.{own}.{signature}.{head}.{anas}.{signature}"),
    )
    yield "claims about Ana under the signature of Mallory's own token", f"{head}.{anas}.{signature}"


def find_key(issuer: Issuer, now: float, end: End) -> Iterator[Attack]:
    claims, secret = issuer.claims("ana", now), f"{issuer.random.getrandbits(64):x}"
    jwk = {"kty": "oct", "k": secret}
    for what, kid in {
        "the kid of the bank's secret": issuer.hs256["kid"], "a kid that the bank has not": "moss-1", "no kid": GONE,
        "the kid of the bank's public key": issuer.es256["kid"], "the kid of a retired key": issuer.retired["kid"],
    }.items():  # fmt: skip
        header = issuer.header(issuer.hs256, jwk=jwk, kid=kid)
        yield f"a token that brings its key along, with {what},", written(header, claims, signing(secret.encode()))
    header = issuer.header(issuer.hs256, jwk=jwk | {"kid": issuer.hs256["kid"], "alg": "HS256"})
    yield "a token that brings a key with the bank's kid along", written(header, claims, signing(secret.encode()))
    yield "a token signed with a secret that leaked, and was retired", issuer.token("ana", now, issuer.retired)
    yield "a token of before, signed with it", issuer.token("ana", now, issuer.retired, iat=int(now) - 86_400)
    yield "a token whose key ends at this very second", issuer.token("ana", now, issuer.left)


def is_signed(issuer: Issuer, now: float, end: End) -> Iterator[Attack]:
    claims, pem = issuer.claims("ana", now), issuer.es256["text"]
    header = issuer.header(issuer.es256, alg="HS256")
    lines = pem.strip().split("\n")[1:-1]
    for what, secret in {
        "text": pem, "text without its last line break": pem.strip(), "lines between first and last": "".join(lines),
    }.items():  # fmt: skip
        yield f"an HMAC whose secret is the public key's {what}", written(header, claims, signing(secret.encode()))
    yield (
        "an HMAC whose secret is the public key's DER",
        written(
            header, claims, signing(base64url.decode("".join(lines).rstrip("=").replace("+", "-").replace("/", "_")))
        ),
    )
    spellings = ["".join(letters) for letters in product("nN", "oO", "nN", "eE")]
    spellings.remove("none")
    for alg in [*issuer.random.sample(spellings, len(spellings)), "none", "", " none", GONE, None, [], {}, False]:
        key = issuer.random.choice([issuer.es256, issuer.hs256])
        said = "no alg" if alg is GONE else f"alg {alg!r}"
        yield f"a token with {said}, and no signature", written(issuer.header(key, alg=alg), claims, unsigned)
    yield (
        "a token with alg 'none', and zeros for a signature",
        written(issuer.header(issuer.es256, alg="none"), claims, lambda data: bytes(64)),
    )


def mac_fits(issuer: Issuer, now: float, end: End) -> Iterator[Attack]:
    header, claims, right = issuer.header(issuer.hs256), issuer.claims("ana", now), issuer.signs(issuer.hs256)
    yield "a token of HS256 without a signature", written(header, claims, unsigned)
    for length in (1, 2, 16, 31):
        size = f"{length} byte{'s' * (length > 1)}"
        yield (
            f"a token of HS256 with the first {size} of its signature",
            written(header, claims, lambda data, n=length: right(data)[:n]),
        )
    yield (
        "a token of HS256 with the last byte of its signature",
        written(header, claims, lambda data: right(data)[-1:]),
    )
    yield "a token of HS256 with zeros for a signature", written(header, claims, lambda data: bytes(32))
    yield "a token of HS256 with its signature from the end", written(header, claims, lambda data: right(data)[::-1])
    yield "a token of HS256 with an empty secret", written(header, claims, signing(b""))
    yield "a token of HS256 with a secret of Mallory's", written(header, claims, signing(b"mallory"))


def check_critical(issuer: Issuer, now: float, end: End) -> Iterator[Attack]:
    phone = f"phone-{issuer.random.randrange(1000)}"
    for more in (
        {"crit": ["device"], "device": phone}, {"crit": ["alg", "device"], "device": phone}, {"crit": ["branch"]},
        {"crit": ["branch"], "branch": "old town"}, {"crit": ["exp"], "exp": int(now)}, {"crit": ["typ"]},
        {"crit": ["kid"]}, {"crit": "device", "device": phone}, {"crit": {"device": phone}}, {"crit": ["device"]},
        {"crit": ["b64"], "b64": True}, {"crit": [["device"]]},
    ):  # fmt: skip
        yield f"a token with {json.dumps(more)} in its header", issuer.token("ana", now, header=more)


def check_type(issuer: Issuer, now: float, end: End) -> Iterator[Attack]:
    typ = issuer.policy["typ"]
    for other in (
        "JWT", "logout+jwt", "id+jwt", "jwt", "secevent+jwt", "JWT ", f"{typ} ", f"x{typ}", typ.upper(), typ[:-1],
        f"application/{typ}", "dpop+jwt", GONE, None, "", [typ], {typ: 1}, True,
    ):  # fmt: skip
        said = "no typ" if other is GONE else f"typ {other!r}"
        yield f"a token with {said}", issuer.token("ana", now, header={"typ": other})


def check_issuer(issuer: Issuer, now: float, end: End) -> Iterator[Attack]:
    name = issuer.policy["issuer"]
    host = name.removesuffix("/bank")
    for other in (
        f"{name}-test", f"{name}/test", f"{name}.test", f"{name}?realm=test", f"{name}#test", f"{name}/", f"{name} ",
        f"{host}/play", f"{host}/test/bank", host, f"{host}/", f"{host}/BANK", f"{host}.mallory.example/bank",
        f"https://mallory.example/{name}", name.replace("https", "http"), name.upper(), f"{host}:8443/bank",
        f"{host}@mallory.example/bank", [name], [name, "mallory"], {name: 1}, None, "", True, GONE,
    ):  # fmt: skip
        said = "no iss" if other is GONE else f"iss {other!r}"
        yield f"a token with {said}", issuer.token("ana", now, iss=other)


def check_audience(issuer: Issuer, now: float, end: End) -> Iterator[Attack]:
    name = issuer.policy["audience"]
    for other in (
        GONE, "statements", f"{name}-archive", ["statements", "cards"], f"my-{name}", f"{name}0", f"cards {name}",
        f"statements,{name}", {name: True}, [f"{name}-archive"], [f"my-{name}", "cards"], [[name]], [{name: 1}], [],
        {}, None, "", True, name[:-1], name.upper(), f"{name} ", "*", ["*"],
    ):  # fmt: skip
        said = "no aud" if other is GONE else f"aud {other!r}"
        yield f"a token with {said}", issuer.token("ana", now, aud=other)


def check_times(issuer: Issuer, now: float, end: End) -> Iterator[Attack]:
    leeway, later = issuer.policy["leeway"], int(now) + 600
    yield "a token that says no end", issuer.token("ana", now, exp=GONE)
    for ago in (leeway + 600, leeway, leeway + 0.5, leeway + 1, 2 * leeway, 3600, 86_400, 10**8):
        what = f"a token that ended {ago} seconds ago, with a leeway of {leeway},"
        yield what, issuer.token("ana", now, iat=int(now) - ago - 900, exp=now - ago)
    for odd in (None, "", "never", str(later), f" {later} ", [later], {"exp": later}, True, False, 0, -1):
        yield f"a token with exp {odd!r}", issuer.token("ana", now, exp=odd)
    yield "a token with a life of 900 seconds instead of an end", issuer.token("ana", now, exp=GONE, expires_in=900)


def name_of(issuer: Issuer, now: float, end: End) -> Iterator[Attack]:
    first, second = (issuer.token("ana", now, issuer.es256) for _ in range(2))
    end(first, now)
    yield "an ended token with its other signature, (r, n - s),", twin(first)
    yield "an ended token as it is", first
    end(twin(second), now)
    yield "a token whose other writing has been ended", second
    for key, other in ((issuer.es256, issuer.hs256), (issuer.hs256, issuer.es256), (issuer.es256, issuer.leaving)):
        claims = issuer.claims("ana", now)
        end(written(issuer.header(key), claims, issuer.signs(key)), now)
        what = "an ended token, which the issuer has signed once more,"
        yield f"{what} with another key,", written(issuer.header(other), claims, issuer.signs(other))
        reversed_ = dict(reversed(claims.items()))
        yield f"{what} in another order,", written(issuer.header(key, use="again"), reversed_, issuer.signs(key))


def twin(token: str) -> str:
    """The same token with (r, n - s) for a signature."""
    signed, _, signature = token.rpartition(".")
    raw = base64url.decode(signature)
    other = ORDER - int.from_bytes(raw[32:], "big")
    return f"{signed}.{base64url.encode(raw[:32] + other.to_bytes(32, 'big'))}"


def ending(issuer: Issuer, now: float, end: End) -> Iterator[Attack]:
    leeway = issuer.policy["leeway"]

    def ended(ago: float, left: float) -> Attack:
        token = issuer.token("ana", now - ago, exp=now + left)
        end(token, now - ago)
        what = f"in {left:g} seconds" if left > 0 else f"{-left:g} seconds ago, with a leeway of {leeway}"
        return f"a token that was ended {ago:g} seconds ago, and would have been over {what},", token

    yield ended(1500, 600)
    yield ended(60, -10)
    for ago, left in (
        (900, 1),
        (3600, 0.5),
        (2, 0),
        (leeway, -leeway + 0.5),
        (86_400, 86_400),
        (10**7, 600),
        (0, 300),
    ):
        yield ended(ago, left)
    yield ended(1800, -(leeway // 2))


def user(issuer: Issuer, now: float, end: End) -> Iterator[Attack]:
    yield "a token of Mallory's, who calls herself ana,", issuer.token("mallory", now, preferred_username="ana")
    for name in ("Ana", "ANA", "ana ", " ana", "aNa", "\tana", "ana\n", "\uff41\uff4e\uff41", "ana\0", "ana,mallory"):
        yield f"a token of whoever registered as {name!r}", issuer.token(name, now)
    for claim in ("name", "nickname", "username", "email", "upn", "user", "unique_name", "login"):
        value = "ana@fernbank.example" if claim == "email" else "ana"
        yield f"a token of Mallory's with {claim} {value!r}", issuer.token("mallory", now, **{claim: value})
    yield "a token about nobody, with preferred_username 'ana',", issuer.token(GONE, now, preferred_username="ana")
    for odd in (["ana"], {"ana": 1}, None):
        yield f"a token with sub {odd!r}", issuer.token(odd, now, preferred_username="ana")


def roles(issuer: Issuer, now: float, end: End) -> Iterator[Attack]:
    for given in (
        ["storyteller"], "storyteller", "teller", ["teller-in-training"], [["teller"]], {"teller": False},
        [{"role": "teller"}], "auditor teller", ["Teller"], ["teller "], ["auditor,teller"], None, GONE, "",
    ):  # fmt: skip
        said = "no roles" if given is GONE else f"roles {given!r}"
        yield f"a token of Mallory's with {said}", issuer.token("mallory", now, roles=given)
    for claim in ("clubs", "groups", "scope", "role", "permissions", "entitlements", "badges"):
        for given in (["teller"], "teller", ["chess", "teller"]):
            yield f"a token of Mallory's with {claim} {given!r}", issuer.token("mallory", now, **{claim: given})
    yield (
        "a token of Mallory's with roles in her profile",
        issuer.token("mallory", now, profile={"roles": ["teller"]}),
    )


ATTACKS = {
    one.__name__: one
    for one in (
        split, find_key, is_signed, mac_fits, check_critical, check_type, check_issuer, check_audience, check_times,
        name_of, ending, user, roles,
    )
}  # fmt: skip
"""For each place of the gate: a function that draws the attacks on it."""
