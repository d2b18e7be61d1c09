"""show.token(): a JSON Web Token taken apart, for people to read. It verifies nothing, and says so."""

import base64
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from markupsafe import Markup

from .drawing import Drawing, prose, said, stacked, table
from .exchange import visible

LONGEST = 8192  # characters: about what servers take in a header
SHOWN = 200  # characters of a value, and of a token that is longer than LONGEST
ROWS = 60  # members of one part that are drawn

SIGNED = ("header", "payload", "signature")
ENCRYPTED = ("header", "encrypted key", "initialization vector", "ciphertext", "authentication tag")  # RFC 7516 §3.1

#: Bytes of a signature (RFC 7518 §3, RFC 8037 §3.1); an RSA signature is as long as its key, 2,048 bits or more.
SIGNATURE_BYTES = {
    "HS256": 32, "HS384": 48, "HS512": 64, "ES256": 64, "ES384": 96, "ES512": 132, "EdDSA": 64, "Ed25519": 64,
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), None),
}
TIMES = ("iat", "nbf", "exp", "auth_time")
MEANS = {
    "header": {
        "alg": "how it is signed; a verifier goes by its key, and not by this",
        "typ": "what kind of token it is",
        "kid": "which key it is signed with",
        "enc": "how it is encrypted",
        "cty": "what is inside",
    },
    "payload": {
        "iss": "who issued it",
        "sub": "whom it is about",
        "aud": "for whom it is meant",
        "jti": "its own name",
        "scope": "what it is good for",
        "roles": "what it is good for",
        "client_id": "which app it was given to",
    },
}
OWN_KEYS = ("jku", "jwk", "x5u", "x5c")
SECRET = re.compile(r"passw|secret|(^|_)(pin|iban|cvv|ssn|card)(_|$)|private_key|api_?key", re.IGNORECASE)
READABLE = "everybody who holds the token can read it"


@dataclass
class Part:
    """One part of a token: its `text`, the bytes behind it, and for JSON its members by name."""

    name: str
    text: str
    data: bytes = b""
    members: dict = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


@dataclass
class Explained:
    """A token taken apart. `text`: as it was given. `wrong`: what is wrong with it, a sentence each."""

    text: str
    parts: list[Part]
    wrong: list[str]


def draw(token, now: float | None = None, title: str = "") -> Drawing:
    """The drawing that show.token() puts on the page. `now`: seconds since 1970, for what has expired."""
    now = time.time() if now is None else now
    it = explain(token, now)
    if not it.text:
        return said(f"{title or 'No token'}: {it.wrong[0]}")
    count = it.text.count(".") + 1
    title = title or f"A token: {_counted(count, 'part')}, {_counted(len(it.text), 'character')}"
    drawings = [_whole(it.text, title), _sizes(it)]
    drawings += [_members(part, now) for part in it.parts if part.name in MEANS and (part.members or part.data)]
    return stacked([*drawings, _wrong(it)])


def explain(token, now: float) -> Explained:
    """Take anything apart, as far as it goes; nothing that is given makes this raise."""
    text, wrong = _text(token)
    if not text:
        return Explained(text, [], wrong)
    count = text.count(".") + 1
    if text != text.strip():
        wrong.append("There is white space around it.")
    if text.strip().lower().startswith("bearer "):
        wrong.append("`Bearer` is the scheme in the header, and no part of the token.")
    if len(text) > LONGEST:
        wrong.append(f"It has {len(text):,} characters, and servers take about {LONGEST:,} in a header.")
    if count == 5:
        wrong.append("Five parts: it is encrypted (a JWE). That hides what it says, and does not prove who wrote it.")
    elif count != 3:
        wrong.append(f"A signed token has three parts, divided by dots, and this has {_counted(count, 'part')}.")
    names = ENCRYPTED if count == 5 else SIGNED
    texts = text.split(".", len(names))[: len(names)]
    parts = [_part(name, one) for name, one in zip(names, texts, strict=False)]
    wrong += [sentence for part in parts for sentence in part.wrong]
    wrong += _header_wrong(parts[0])
    if count != 5:
        wrong += _payload_wrong(parts[1:2], now)
        wrong += _signature_wrong(parts)
    return Explained(text, parts, wrong)


# ---- taking apart --------------------------------------------------------------------------------------------


def _text(token) -> tuple[str, list[str]]:
    """What was given, as text, and what is wrong with that."""
    if isinstance(token, str):
        return token, [] if token else ["It is empty."]
    kind = type(token).__name__
    if isinstance(token, bytes | bytearray):
        text = bytes(token).decode("utf-8", "backslashreplace")
        return text, [f"It is {kind}, and a token is text (str)."]
    return "", [f"It is no text, but of type {kind}."]


def _part(name: str, text: str) -> Part:
    """Decode one part, forgivingly."""
    part = Part(name, text)
    plain = text.strip().translate(str.maketrans("+/", "-_"))
    kept = re.sub(r"[^A-Za-z0-9_-]", "", plain)
    if len(kept) % 4 == 1:
        part.wrong.append(f"The {name} is cut off: base64url never has {_counted(len(kept), 'character')}.")
        kept = kept[:-1]
    part.data = base64.urlsafe_b64decode(kept + "=" * (-len(kept) % 4))
    part.wrong += _spelling_wrong(name, text.strip(), kept, part.data)
    if name in MEANS:
        _read_json(part)
    return part


def _spelling_wrong(name: str, text: str, kept: str, data: bytes) -> Iterator[str]:
    if "=" in text:
        yield f"The {name} has padding (`=`), which a token leaves out (RFC 7515 §2)."
    if re.search("[+/]", text):
        yield f"The {name} is base64 with `+` and `/`; base64url has `-` and `_` in their place."
    if re.search(r"[^A-Za-z0-9_=+/-]", text):
        yield f"In the {name} stands what does not belong into base64url."
    elif base64.urlsafe_b64encode(data).rstrip(b"=").decode() != kept:
        yield f"The last character of the {name} holds bits that mean nothing: it could be written otherwise."


def _read_json(part: Part) -> None:
    """Put the members of a part's JSON object into it."""
    twice: list[str] = []

    def members(pairs):
        names = [name for name, _ in pairs]
        twice.extend(name for name in dict.fromkeys(names) if names.count(name) > 1)
        return dict(pairs)

    try:
        value = json.loads(part.data.decode("utf-8"), object_pairs_hook=members)
    except UnicodeDecodeError:
        part.wrong.append(f"The {part.name} is not UTF-8 text.")
    except RecursionError:
        part.wrong.append(f"The {part.name} is nested too deep to be read.")
    except ValueError:
        part.wrong.append(f"The {part.name} is not JSON.")
    else:
        if isinstance(value, dict):
            part.members = value
        else:
            part.wrong.append(f"The {part.name} is JSON, but not an object.")
    for name in twice[:3]:
        part.wrong.append(f"`{_short(name)}` stands twice in the {part.name}: two readers may see two values.")


# ---- what is wrong -------------------------------------------------------------------------------------------


def _header_wrong(header: Part) -> Iterator[str]:
    alg = header.members.get("alg")
    if not header.members:
        return
    if not isinstance(alg, str):
        yield "The header names no algorithm (`alg`)."
    elif alg.lower() == "none":
        yield "`alg` is none: nobody signed it, and anybody can have written it."
    elif alg not in SIGNATURE_BYTES and "enc" not in header.members:
        yield f"`alg` is {_short(alg)}, which names no way to sign that is known here."
    for name in OWN_KEYS:
        if name in header.members:
            yield f"It brings a key along, or says where to get one (`{name}`): a forger's token does that, too."
    for name in ("crit", "b64"):
        if name in header.members:
            yield f"It asks for an extension (`{name}`): who does not know it must refuse (RFC 7515 §4.1.11)."
    if "typ" not in header.members:
        yield "It does not say what kind of token it is (`typ`)."
    if not isinstance(header.members.get("kid", ""), str):
        yield "`kid` is not text."


def _payload_wrong(payloads: list[Part], now: float) -> Iterator[str]:
    for claims in (payload.members for payload in payloads if payload.members):
        for name, what in (("iss", "who issued it"), ("sub", "whom it is about")):
            if name not in claims:
                yield f"It does not say {what} (`{name}`)."
            elif not isinstance(claims[name], str):
                yield f"`{name}` is not text."
        if "aud" not in claims:
            yield "It does not say for whom it is meant (`aud`): whoever gets it may take it for theirs."
        elif not all(isinstance(one, str) for one in _listed(claims["aud"])):
            yield "`aud` is neither text nor a list of texts."
        if "exp" not in claims:
            yield "It never ends: there is no `exp`."
        yield from _times_wrong(claims, now)
        for name in claims:
            if SECRET.search(name):
                yield f"`{_short(name)}` looks like a secret, and {READABLE}."


def _times_wrong(claims: dict, now: float) -> Iterator[str]:
    for name in TIMES:
        value = claims.get(name, 0)
        if name in claims and _date(value) is None:
            yield f"`{name}` is no time: a JSON number of seconds since 1970 (RFC 7519 §2)."
        elif name == "exp" and name in claims and value <= now:
            yield f"It expired {_distance(value - now)}."
        elif name in ("iat", "nbf") and value > now + 1:  # a clock may have ticked in between
            yield f"`{name}` lies in the future: {_distance(value - now)}."


def _signature_wrong(parts: list[Part]) -> Iterator[str]:
    if len(parts) < 3 or parts[2].wrong:
        return
    signature, alg = parts[2].data, parts[0].members.get("alg")
    alg = alg if isinstance(alg, str) else ""
    wanted = SIGNATURE_BYTES.get(alg)
    if not signature:
        if alg.lower() != "none":
            yield "The signature is missing."
    elif wanted is not None and len(signature) != wanted:
        der = alg.startswith("ES") and signature[:1] == b"\x30"
        yield f"The signature has {len(signature):,} bytes, and {alg} makes {wanted}" + (
            ": it looks like DER, and a token holds r and s as they are (RFC 7518 §3.4)." if der else "."
        )
    elif alg in SIGNATURE_BYTES and wanted is None and len(signature) < 256:
        yield f"The signature has {len(signature):,} bytes, and {alg} makes as many as its key has: 256 or more."
    elif alg.startswith("ES") and wanted and not (any(signature[: wanted // 2]) and any(signature[wanted // 2 :])):
        yield "r or s of the signature is 0: no honest signature has that (CVE-2022-21449)."


# ---- how it is drawn -----------------------------------------------------------------------------------------


def _whole(text: str, title: str) -> Drawing:
    """The token, marked as the credential that it is, in one text node."""
    shown = visible(text)
    rest = ""
    if len(text) > LONGEST:
        shown, rest = visible(text[:SHOWN]), f" … and {len(text) - SHOWN:,} more characters"
    html = Markup('<p><strong>{}</strong></p><pre role="group" aria-label="The token"><mark>{}</mark>{}</pre>')
    return Drawing(html.format(title, shown, rest), f"{title}\n  {shown}{rest}")


def _sizes(it: Explained) -> Drawing:
    rows = [[part.name, f"{len(part.text):,}", f"{len(part.data):,}", _what(part)] for part in it.parts]
    rows.append(["in all", f"{len(it.text):,}", "", "with the dots; each character is a byte on the wire"])
    return table("Its parts", ["part", "characters", "bytes", "what it is"], rows)


def _what(part: Part) -> str:
    if part.name in MEANS:
        return "a JSON object in base64url: anybody can read it" if part.members else "unreadable"
    if part.name == "signature":
        return "not checked here: that takes a key" if part.data else "missing"
    return "nobody reads it without the key" if part.name in ("encrypted key", "ciphertext") else ""


def _members(part: Part, now: float) -> Drawing:
    """The members of a JSON object as a table; of what is none, what can be read of it."""
    title = f"The {part.name}, decoded"
    if not part.members:
        return said(f"{title}: {_short(part.data.decode('utf-8', 'backslashreplace')).replace('`', chr(39))}")
    rows = [_row(part.name, *member, now, "enc" in part.members) for member in list(part.members.items())[:ROWS]]
    if len(part.members) > ROWS:
        title += f": the first {ROWS} of {len(part.members):,} members"
    return table(title, ["member", "value", "says"], rows)


def _row(part: str, name: str, value, now: float, encrypted: bool = False) -> list[str | Drawing]:
    text = _short(_json(value))
    says = MEANS[part].get(name, "")
    if name == "alg" and encrypted:
        says = "how the key inside is encrypted"
    if part == "payload" and name in TIMES and (date := _date(value)):
        verb = {"exp": "expires" if value > now else "expired"}.get(name, "")
        says = f"{date}, {verb} {_distance(value - now)}".replace("  ", " ")
    elif SECRET.search(name):
        return [_short(name), Drawing(Markup("<mark>{}</mark>").format(text), text), f"▲ {READABLE}"]
    return [_short(name), text, says]


def _wrong(it: Explained) -> Drawing:
    """The list of what is wrong, and what no look can tell."""
    if not it.wrong:
        return said("Nothing is wrong with its form. Whether the signature fits, only who has the key can say.")
    html = Markup("<p><strong>What is wrong with it</strong></p><ul>{}</ul>").format(
        Markup("").join(Markup("<li>{}</li>").format(prose(visible(one))) for one in it.wrong)
    )
    return Drawing(html, "\n".join(["What is wrong with it", *(f"  - {visible(one)}" for one in it.wrong)]))


# ---- words and numbers ---------------------------------------------------------------------------------------


def _date(value) -> str | None:
    """Seconds since 1970 as a date, or None for what is no time."""
    if type(value) not in (int, float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return None


UNITS = ((1, 100, "second"), (60, 100, "minute"), (3600, 48, "hour"), (86400, 730, "day"), (31557600, 0, "year"))


def _distance(seconds: float) -> str:
    """How far away a time is: "in 15 minutes", "60 seconds ago". Rough, so that a page does not change as it runs."""
    if abs(seconds) < 10:
        return "in a few seconds" if seconds > 0 else "just now"
    size, _, unit = next(one for one in UNITS if abs(seconds) < one[0] * one[1] or not one[1])
    number = int(abs(seconds) / size + 0.6)
    if size == 1:
        number = 10 * int(abs(seconds) / 10 + 0.6)
    said = _counted(number, unit)
    return f"in {said}" if seconds > 0 else f"{said} ago"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _listed(value) -> list:
    return value if isinstance(value, list) else [value]


def _json(value) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        return "nested too deep to be drawn"


def _short(text: str) -> str:
    text = visible(text)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} … and {len(text) - SHOWN:,} more characters"
