"""Malformed tokens by the thousand: honest ones damaged as text, and others that are signed and say nonsense."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from .mint import GONE, Issuer, compact

__all__ = ["BROKEN", "bad_claims", "bad_header", "malformed"]

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
ODD = "=+/ \n\t\r\0.,:;~?!*%\"'\\{}é٣１\u2028\ud800"
SPACE = " \n\t\r\0\u00a0\ufeff"


# ---- the text of an honest token, damaged: each takes (random, token) and gives another text -----------------


def _cut(random, token):
    return token[: random.randrange(len(token))]


def _behead(random, token):
    return token[random.randrange(1, len(token)) :]


def _insert(random, token):
    place = random.randrange(len(token) + 1)
    return token[:place] + random.choice(ALPHABET + 2 * ODD) + token[place:]


def _replace(random, token):
    place = random.randrange(len(token))
    return token[:place] + random.choice((ALPHABET + ODD).replace(token[place], "")) + token[place + 1 :]


def _delete(random, token):
    place = random.randrange(len(token))
    return token[:place] + token[place + 1 :]


def _pad(random, token):
    parts = token.split(".")
    parts[random.randrange(3)] += "=" * random.randrange(1, 4)
    return ".".join(parts)


def _space(random, token):
    return random.choice([token + random.choice(SPACE), random.choice(SPACE) + token])


def _spare_bits(random, token):
    """The last character of a part holds bits that mean nothing: the same bytes, in another text."""
    parts = token.split(".")
    spare = [n for n, part in enumerate(parts) if len(part) % 4 in (2, 3)]
    if not spare:
        return token + "="
    n = random.choice(spare)
    last = ALPHABET.index(parts[n][-1])
    more = random.randrange(1, 16) if len(parts[n]) % 4 == 2 else random.randrange(1, 4)
    parts[n] = parts[n][:-1] + ALPHABET[last | more] if last | more != last else parts[n] + "="
    return ".".join(parts)


def _other_parts(random, token):
    header, payload, signature = token.split(".")
    choices = [
        [payload, header, signature], [header, signature, payload], [header, payload], [payload, signature],
        [header, payload, signature, ""], ["", header, payload, signature], [header, payload, signature] * 2,
        [header, "", payload, signature], [header, payload, "", "", signature], [header, "", signature],
        ["", payload, signature], [header, payload, ""], [header, payload, payload], ["Bearer " + header, payload],
        ["Bearer " + header, payload, signature], [header], [signature], ["", ""], ["", "", ""], [],
    ]  # fmt: skip
    return ".".join(random.choice(choices))


def _swap_case(random, token):
    return token.swapcase()


TEXTS = {
    "cut short": _cut,
    "without its beginning": _behead,
    "with a character more": _insert,
    "with another character": _replace,
    "with a character less": _delete,
    "with padding": _pad,
    "with white space around it": _space,
    "with spare bits set": _spare_bits,
    "in other parts": _other_parts,
    "with its letters in the other case": _swap_case,
}


# ---- JSON, broken: each takes (random, a dict) and gives texts, as bytes, that the profile does not take -----


def _and(members: dict[str, Any], *raws: str | bytes) -> list[bytes]:
    """The JSON of `members`, with each of `raws` as one member more."""
    raws = [raw.encode() if isinstance(raw, str) else raw for raw in raws]
    return [json.dumps(members).encode()[:-1] + b", " + raw + b"}" for raw in raws]


def _twice(random, members):
    found = []
    for name, value in members.items():
        other = random.choice([value, None, 1, "x", [], True])
        first, second = (json.dumps({name: each})[1:-1] for each in random.sample([other, value], 2))
        rest = json.dumps({key: each for key, each in members.items() if key != name})[1:-1]
        found.append(("{" + ", ".join(part for part in (first, rest, second) if part) + "}").encode())
    return found


def _twice_inside(random, members):
    return _and(members, '"x": {"a": 1, "a": 1}', '"x": [{"b": [], "a": 2, "b": []}]', '"x": {"": 1, "": 2}')


def _twice_escaped(random, members):
    return _and(members, *(f'"\\u{ord(name[0]):04x}{name[1:]}": {json.dumps(members[name])}' for name in members))


def _no_number(random, members):
    names = ("NaN", "Infinity", "-Infinity", "[NaN]", "007", "+1", ".5", "0x1")
    return _and(members, *(f'"x": {name}' for name in names))


def _after_it(random, members):
    more = (b",", b"x", b"{}", b"]", b"\0", b"//", b"null", b"\xc2\xa0")
    return [json.dumps(members).encode() + each for each in more]


def _bad_syntax(random, members):
    text = json.dumps(members)
    choices = [
        text[:-1] + ",}", text.replace('"', "'"), text[:-1] + "/* x */}", text.replace(":", "=", 1), text[1:],
        text.replace('"', "", 2), text[:-1] + ", x: 1}", "{" + text + "}", text.replace("{", "{,", 1),
    ]  # fmt: skip
    return [each.encode() for each in choices]


def _cut_json(random, members):
    text = json.dumps(members).encode()
    return [text[: random.randrange(len(text))] for _ in range(4)]


def _no_object(random, members):
    text = json.dumps(members)
    return [
        each.encode() for each in (f"[{text}]", json.dumps(text), "null", "true", "1", "1e5", '"x"', "[]", "", " ")
    ]


def _encoding(random, members):
    codecs = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-8-sig")
    return [json.dumps(members).encode(codec) for codec in codecs]


def _not_utf8(random, members):
    bad = (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xe4", b"\xf5\x80\x80\x80", b"caf\xe9")
    return _and(members, *(b'"x": "' + each + b'"' for each in bad))


def _bad_text(random, members):
    bad = ("a\nb", "\t", "\0", "\\q", "\\u12", "\\x41", "\x1f")
    return _and(members, *(f'"x": "{each}"' for each in bad))


def _noise(random, members):
    return [random.randbytes(random.randrange(1, 60)) for _ in range(4)]


BROKEN = {
    "has a member twice": _twice,
    "has a member twice, further in": _twice_inside,
    "has a member twice, once with an escape": _twice_escaped,
    "has a number that JSON does not know": _no_number,
    "has something after it": _after_it,
    "is not JSON": _bad_syntax,
    "is cut short": _cut_json,
    "is no object": _no_object,
    "is not in UTF-8, or begins with a byte order mark": _encoding,
    "has bytes that are not UTF-8": _not_utf8,
    "has a text that JSON does not allow": _bad_text,
    "is noise": _noise,
}


# ---- well-formed JSON that says what the profile does not take ------------------------------------------------


def bad_header(random: Any, header: dict[str, Any]) -> dict[str, Any]:
    """A change to an honest header that the profile refuses."""
    name = random.choice(["alg", "kid", "typ", "crit", "b64"])
    if name in ("crit", "b64"):
        return {name: random.choice([None, True, False, [], ["exp"], ["b64"], {}, "", 0])}
    value = header[name]
    texts = ["", value + " ", " " + value, value + "\0", value[:-1], value + "x", value.upper() + "!", "none", "None"]
    return {name: random.choice([GONE, None, True, False, 0, 1.5, [], {}, [value], {value: 1}, *texts])}


def bad_claims(random: Any, claims: dict[str, Any]) -> dict[str, Any]:
    """A change to honest claims that the profile refuses."""
    name = random.choice(["iss", "aud", "sub", "exp", "iat", "nbf"])
    value = claims.get(name, claims["iat"])
    odd = [None, True, False, [], {}, ""]
    if name in ("exp", "iat", "nbf"):
        odd += [str(value), f" {value}", [value], {"value": value}, "now"]
    elif name == "sub":
        odd += [7, 1.5, [value], {value: 1}]
    else:
        odd += [7, 1.5, {value: 1}, [[value]], [value, 7], value + " ", value[:-1], value + "/", value.upper() + "!"]
    if name == "iss":
        odd.append([value])
    return {name: random.choice(odd if name == "nbf" else [*odd, GONE])}


# ---- all together ---------------------------------------------------------------------------------------------


def malformed(issuer: Issuer, number: int) -> Iterator[tuple[str, str]]:
    """`number` different tokens that the issuer's policy refuses, each with what is wrong with it."""
    random = issuer.random
    honest = [issuer.token(alg) for alg in issuer.keys for _ in range(3)]
    signers = [alg for alg in issuer.keys if alg != "RS256"] + ["HS256"] * 3  # cheap to sign with
    makers: list[Callable] = [_as_text, _as_text, _as_json, _as_members]
    seen = set()
    while len(seen) < number:
        what, token = makers[len(seen) % len(makers)](issuer, random, honest, random.choice(signers))
        if token not in seen:
            seen.add(token)
            yield what, token


def _as_text(issuer, random, honest, alg):
    what = random.choice(list(TEXTS))
    return f"an honest token {what}", TEXTS[what](random, random.choice(honest))


def _as_json(issuer, random, honest, alg):
    what, parts = random.choice(list(BROKEN)), [issuer.header(alg), issuer.claims()]
    broken = random.randrange(2)
    parts[broken] = random.choice(BROKEN[what](random, parts[broken]))
    return f"a signed token whose {('header', 'payload')[broken]} {what}", compact(*parts, issuer.keys[alg])


def _as_members(issuer, random, honest, alg):
    header, claims = {}, issuer.claims()
    if random.random() < 0.5:
        change = header = bad_header(random, issuer.header(alg))
    else:
        change = bad_claims(random, claims)
        claims = issuer.claims(**change)
    [(name, value)] = change.items()
    said = f"without {name}" if value is GONE else f"with {name} {value!r:.60}"
    return f"a signed token {said}", issuer.token(alg, claims, **header)
