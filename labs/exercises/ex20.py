"""Exercises of lesson 20, A JWT by hand."""

import hashlib
import hmac
import json
from contextlib import suppress
from functools import cache
from pathlib import Path

import jwt

from labs.auth import base64url
from labs.auth.keys import generate
from labs.auth.token_errors import Malformed

from .exercise import Exercise
from .process import NotAttempted

BY_HAND = frozenset({"base64", "hashlib", "hmac", "json"})
VECTORS = Path(__file__).resolve().parents[2] / "data" / "vectors"

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
HEADER = {"alg": "HS256", "typ": "JWT"}


def same(one, other) -> bool:
    """Whether two plain values are equal in their kinds, too: True is not 1, and 1 is not 1.0."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def each(lab, name, argses):
    """What a function of the cell returns for each list of arguments; the first error is raised."""
    outcomes = lab.call_each(name, argses)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
    return outcomes


def nothing_but_none(lab, name, cases):
    """Expect None of `name` for each case: (what is wrong with it, arguments)."""
    tells_apart(lab, name, [(what, args, None) for what, args in cases])


def tells_apart(lab, name, cases):
    """Expect of `name` what is wanted for each case: (what it is, arguments, bytes or None)."""
    for (what, args, wanted), given in zip(cases, lab.call_each(name, [args for _, args, _ in cases]), strict=True):
        if isinstance(given, NotAttempted):
            raise given
        happened = str(given) if isinstance(given, Exception) else f"{name}() gave {given!r:.80}"
        right = given == wanted and type(given) is type(wanted)
        lab.expect(right, f"{wanted!r:.60} for {what}: {args[0]!r:.60}", happened)


# ---- 20.1 ----------------------------------------------------------------------------------------------------

BASE64URL = Exercise(
    "20.1",
    "base64url",
    defines=("encode", "decode"),
    minutes=6,
    imports=BY_HAND,
    hints=(
        "`base64.urlsafe_b64encode(data)` gives bytes, with `=` at the end: `.rstrip(b\"=\")` and `.decode()`.",
        "Python's decoder wants the `=` back: as many as it takes to make the length a multiple of four, which is "
        "`-len(text) % 4`. What it cannot read raises ValueError.",
        "What does encode() make of the bytes that you decoded? If it is not the text that came in, that text is one "
        "that encode() never writes.",
    ),
)

#: RFC 7515, Appendix C; RFC 4648 §10, without the padding.
PUBLISHED = {
    bytes([3, 236, 255, 224, 193]): "A-z_4ME", b"": "", b"f": "Zg", b"fo": "Zm8", b"foo": "Zm9v", b"foob": "Zm9vYg",
    b'{"typ":"JWT",\r\n "alg":"HS256"}': "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
}  # fmt: skip


def some_bytes(lab):
    """Bytes of many lengths, with the text that each has in base64url."""
    drawn = [lab.random.randbytes(length) for length in [*range(1, 50), 255, 256, 1000]]
    return PUBLISHED | {data: base64url.encode(data) for data in drawn}


def some_text(lab, at_least=8):
    """The base64url text of a few random bytes."""
    return base64url.encode(lab.random.randbytes(lab.random.randrange(at_least, 40)))


@BASE64URL.customer("Bytes become text as the standard writes it", look_at="which characters encode() may write")
def encodes(lab):
    data = some_bytes(lab)
    for (one, text), given in zip(data.items(), each(lab, "encode", [[one] for one in data]), strict=True):
        lab.expect(given == text, f"{text!r:.60} for the bytes {one!r:.50}", f"encode() gave {given!r:.60}")


@BASE64URL.customer("Text becomes the same bytes again", look_at="the = that decode() has to put back")
def decodes(lab):
    data = some_bytes(lab)
    for (one, text), given in zip(data.items(), each(lab, "decode", [[text] for text in data.values()]), strict=True):
        right = type(given) is bytes and given == one
        lab.expect(right, f"the bytes {one!r:.50} for {text!r:.60}", f"decode() gave {given!r:.60}")


@BASE64URL.probe("Padding and white space are refused", look_at="what Python's decoder skips without a word")
def padding(lab):
    whole = base64url.encode(lab.random.randbytes(3 * lab.random.randrange(2, 9)))
    short = base64url.encode(lab.random.randbytes(3 * lab.random.randrange(2, 9) + 1))
    nothing_but_none(lab, "decode", [
        ("text with its = at the end", [short + "=="]), ("text with an = too many", [short + "==="]),
        ("text with =", [whole + "="]), ("text with =", [whole + "===="]), ("= alone", ["="]), ("= alone", ["===="]),
        ("a line end", [whole + "\n"]), ("a line end", [whole[:4] + "\r\n" + whole[4:]]),
        ("a blank", [" " + whole]), ("a blank", [whole[:2] + "  " + whole[2:]]), ("a tab", [whole + "\t"]),
    ])  # fmt: skip


@BASE64URL.probe("Characters of another alphabet are refused", look_at="which 64 characters there are, and no others")
def strange_characters(lab):
    text = base64url.encode(lab.random.randbytes(24))
    middle = lab.random.randrange(2, 30)
    strange = [*'+/.,*%~!"\\', "\0", "é", "１", "ｱ", "\u2028", "\ud800", "😀"]  # noqa: RUF001
    plain = [("plain base64", ["+/ab" + text]), ("plain base64", ["ab+/"])]
    inside = [(f"{one!r} in it", [text[:middle] + one + text[middle:]]) for one in strange]
    instead = [(f"{one!r} in it", [text[:middle] + one + text[middle + 1 :]]) for one in strange]
    nothing_but_none(lab, "decode", [*plain, *inside, *instead])


@BASE64URL.probe("A length that never comes is refused", look_at="how many characters 1, 2 and 3 bytes have")
def lengths(lab):
    cut = [some_text(lab)[: 4 * n + 1] for n in (0, 1, 2)]
    nothing_but_none(lab, "decode", [("a length of 4n + 1", [one]) for one in cut])


@BASE64URL.probe("Bits that mean nothing must be 0", points=2, look_at="the last character: which bits of it count")
def stray_bits(lab):
    cases = []
    for left, bits in ((1, 4), (2, 2)):
        for _ in range(6):
            text = base64url.encode(lab.random.randbytes(3 * lab.random.randrange(9) + left))
            last = ALPHABET.index(text[-1]) + lab.random.randrange(1, 2**bits)
            cases.append(("a last character with bits that mean nothing", [text[:-1] + ALPHABET[last]]))
    nothing_but_none(lab, "decode", cases)


# ---- 20.2 ----------------------------------------------------------------------------------------------------

SIGN = Exercise(
    "20.2",
    "Sign",
    defines=("sign",),
    minutes=6,
    imports=BY_HAND,
    hints=(
        "Three lines of text: the header, encoded; the claims, encoded; the signature of both, encoded. "
        "`json.dumps(...).encode()` makes bytes of a dict.",
        "What is signed is the text `header.payload`, with its dot, as bytes.",
        "`hmac.digest(key, signed, \"sha256\")` gives the 32 bytes of the signature.",
    ),
)


def a_key(lab):
    """An HS256 key of some length that is allowed."""
    return lab.random.randbytes(lab.random.choice([32, 33, 48, 64, 65, 100]))


def some_claims(lab):
    """Claims as a bank issues them, drawn."""
    now = int(lab.now)
    return {
        "sub": lab.random.choice(["ana", "ben", "mallory"]), "iss": f"https://{lab.random.randrange(10**6)}.example",
        "aud": lab.random.choice(["accounts", ["accounts", "statements"]]), "iat": now, "exp": now + 900,
        "jti": f"{lab.random.getrandbits(128):032x}",
    }  # fmt: skip


def token_of(lab, given):
    """What sign() gave, which must be text."""
    lab.expect(type(given) is str, "a token, which is text", f"sign() gave {given!r:.60}")
    return given


def pyjwt(token, key):
    """What PyJWT reads in a token when it asks for the signature alone; its complaint when it refuses."""
    try:
        return json.loads(jwt.PyJWS().decode(token, key, ["HS256"]))
    except (jwt.PyJWTError, ValueError) as error:
        return f"{type(error).__name__}: {error}"


@SIGN.customer("PyJWT reads it, with the same key", points=2, look_at="what is signed, and how bytes become text")
def pyjwt_reads(lab):
    for _ in range(5):
        claims, key = some_claims(lab), a_key(lab)
        (given,) = each(lab, "sign", [[claims, key]])
        read = pyjwt(token_of(lab, given), key)
        lab.expect(same(read, claims), f"PyJWT reads {claims!r:.70}", f"PyJWT says {read!r:.90} to {given!r:.60}")


@SIGN.customer("Claims of any script and any kind come back as they were", look_at="how claims become bytes")
def any_claims(lab):
    key, number = a_key(lab), lab.random.randrange(10**6)
    for claims in (
        {"name": f"Zoë Müller-Šimková {number}", "家": "蕨 🌿", "quote": "\"\\\n\t\u2028", "empty": ""},
        {"roles": ["teller", []], "deep": {"a": [{"b": {}}]}, "n": [0, -1, 2.5, 2**53, number], "no": [False, None]},
        {},
    ):
        (given,) = each(lab, "sign", [[claims, key]])
        read = pyjwt(token_of(lab, given), key)
        lab.expect(same(read, claims), f"the claims {claims!r:.60}", f"PyJWT reads {read!r:.80}")


@SIGN.probe("The header says how, and what it is", look_at="the two members of the header")
def says_how(lab):
    (given,) = each(lab, "sign", [[some_claims(lab), a_key(lab)]])
    try:
        header = jwt.get_unverified_header(token_of(lab, given))
    except jwt.PyJWTError as error:
        header = str(error)
    lab.expect(header == HEADER, f"the header {json.dumps(HEADER)}", f"it is {header!r:.80}")


@SIGN.probe("Each part is base64url, and nothing more", look_at="padding and line ends in the parts")
def is_base64url(lab):
    for filler in range(4):
        claims = some_claims(lab) | {"fill": "ÿ" * 60 + "x" * filler}
        (given,) = each(lab, "sign", [[claims, a_key(lab)]])
        rest = set(token_of(lab, given)) - set(ALPHABET)
        lab.expect(rest == {"."} and given.count(".") == 2, "three parts of A-Z a-z 0-9 - _", f"in it stands {rest}")


@SIGN.probe("The claims are left as they were", look_at="what your code writes into the claims that it was given")
def unchanged(lab):
    lab.call("sign", some_claims(lab), a_key(lab))


# ---- 20.3 ----------------------------------------------------------------------------------------------------

VERIFY = Exercise(
    "20.3",
    "Verify",
    defines=("verify",),
    minutes=10,
    difficulty="medium",
    imports=BY_HAND,
    hints=(
        "Split first, and go on only with three parts. decode() gives None for a part that is no base64url.",
        "Sign again what came in: its first two parts and the dot between them, exactly as they came. Compare that "
        "with the signature that came in: `hmac.compare_digest(one, other)`, both of them bytes.",
        "Only then read the header, with json.loads in a try, and see that it is a dict whose `alg` is HS256. "
        "`except (ValueError, RecursionError)` catches all that json.loads can meet.",
    ),
)


def forge(key, header=HEADER, payload=b'{"sub":"ana"}', digest=hashlib.sha256):
    """A token of this header (bytes as they are, else as JSON), and of a signature that fits."""
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    signed = f"{base64url.encode(header)}.{base64url.encode(payload)}"
    return f"{signed}.{base64url.encode(hmac.digest(key, signed.encode(), digest))}"


def vectors():
    """The published HS256 examples: (name, token, key, payload)."""
    one = json.loads((VECTORS / "rfc7515_7519_8037.json").read_text("utf-8"))[0]
    other = json.loads((VECTORS / "rfc7520_4_4.hmac-sha2_integrity_protection.json").read_text("utf-8"))
    payload = base64url.decode(one["token"].split(".")[1])
    yield "RFC 7515 A.1, which is RFC 7519 3.1", one["token"], base64url.decode(one["jwk"]["k"]), payload
    key = base64url.decode(other["input"]["key"]["k"])
    yield "RFC 7520 4.4", other["output"]["compact"], key, other["input"]["payload"].encode()


def reads(lab, what, token, key, payload):
    """Expect the payload of a good token."""
    (given,) = each(lab, "verify", [[token, key]])
    right = type(given) is bytes and given == payload
    lab.expect(right, f"the payload {payload!r:.50} of {what}", f"verify() gave {given!r:.60}")


def refuses(lab, honest, key, cases):
    """Expect the payload of an honest token, and None for each case: (what is wrong with it, token).

    The honest one comes somewhere in between, and is made as the others are: who tells it apart has looked.
    """
    all_cases = [(what, [token, key], None) for what, token in cases]
    good = ("an honest token", [honest, key], base64url.decode(honest.split(".")[1]))
    all_cases.insert(lab.random.randrange(len(all_cases) + 1), good)
    tells_apart(lab, "verify", all_cases)


@VERIFY.customer("The standards' own examples", look_at="what you sign again: the parts as they came, not made anew")
def published(lab):
    for what, token, key, payload in vectors():
        reads(lab, what, token, key, payload)


@VERIFY.customer("What PyJWT signs comes back, whatever else its header says", look_at="what you ask of the header")
def from_pyjwt(lab):
    for more in ({}, {"kid": f"k{lab.random.randrange(10**6)}"}, {"typ": "at+jwt"}, {"typ": None}):
        key, claims = a_key(lab), some_claims(lab) | {"name": "Zoë 🌿"}
        token = jwt.encode(claims, key, "HS256", headers=more)
        reads(lab, f"a token with the header {jwt.get_unverified_header(token)}", token, key,
              base64url.decode(token.split(".")[1]))


@VERIFY.probe("One changed byte, and it is refused", points=2, look_at="what the signature is of")
def changed(lab):
    key = a_key(lab)
    token = forge(key, payload=json.dumps(some_claims(lab)).encode())
    places = [place for place, one in enumerate(token) if one != "."]
    cases = []
    for place in sorted({*lab.random.sample(places, 60), places[0], places[-1], len(token) - 43}):
        other = lab.random.choice(list(with_another_character(token, place)))
        cases.append((f"a token with another character {place}", other))
    refuses(lab, token, key, cases)


def with_another_character(token, place):
    """Every token that differs at one place, and is of good base64url all the same."""
    for one in ALPHABET.replace(token[place], ""):
        other = token[:place] + one + token[place + 1 :]
        with suppress(Malformed):
            list(map(base64url.decode, other.split(".")))
            yield other


@VERIFY.probe("Half a signature is none", look_at="whether all 32 bytes are compared")
def half_signature(lab):
    key = a_key(lab)
    token = forge(key)
    head, _, text = token.rpartition(".")
    signature = base64url.decode(text)
    borrowed = forge(key, payload=b'{"sub":"ben"}').rpartition(".")[2]
    others = {
        "no signature": b"", "the first byte of its signature": signature[:1], "half its signature": signature[:16],
        "all but one byte of it": signature[:31], "its signature and one byte more": signature + b"\0",
        "its signature twice": signature * 2, "32 zero bytes": bytes(32),
    }  # fmt: skip
    cases = [(f"a token with {what}", f"{head}.{base64url.encode(one)}") for what, one in others.items()]
    refuses(lab, token, key, [*cases, ("a token with another one's signature", f"{head}.{borrowed}")])


@VERIFY.probe("Another key, and it is refused", look_at="which key the signature is computed with")
def another_key(lab):
    key, other = a_key(lab), lab.random.randbytes(32)
    cases = [("a token signed with another key", forge(other)), ("a token signed with no key", forge(b""))]
    refuses(lab, forge(key), key, cases)


@VERIFY.probe("Another algorithm, and it is refused", points=2, look_at="who chooses the algorithm: not the header")
def another_algorithm(lab):
    key = a_key(lab)
    algs = ["none", "nOnE", "hs256", "HS512", "RS256", "", None, ["HS256"], {"HS256": 1}, 0]
    headers = [{}, *({"alg": alg} for alg in algs)]
    cases = [(f"a token that says {header}, and is signed", forge(key, header)) for header in headers]
    for alg in ("none", "None", "nOnE"):
        bare = forge(key, {"alg": alg}).rpartition(".")[0] + "."
        cases.append((f"a token that says alg {alg}, and has no signature", bare))
    for alg, digest in (("HS512", hashlib.sha512), ("HS384", hashlib.sha384), ("HS256", hashlib.sha512)):
        token = forge(key, {"alg": alg}, digest=digest)
        cases.append((f"a token that says {alg}, signed with {digest().name}", token))
    refuses(lab, forge(key), key, cases)


@VERIFY.probe("What is no token is None, and never an error", points=2, look_at="what may raise on the way, and when")
def no_token(lab):
    key = a_key(lab)
    token = forge(key)
    head, payload, signature = token.split(".")
    texts = {
        "an empty text": "", "one word": some_text(lab), "two dots": "..", "two parts": f"{head}.{payload}",
        "four parts": token + ".", "five parts": f"{head}..{payload}..{signature}", "no header": token[len(head) :],
        "a token with its padding": token + "=", "stray bits": token[:-1] + ALPHABET[ALPHABET.index(token[-1]) + 1],
        "a line end": token + "\n", "a blank in front": " " + token,
        "a scheme in front": "Bearer " + token, "a signature that is not ASCII": f"{head}.{payload}.é{signature}",
        "a payload that is not ASCII": f"{head}.{payload}é.{signature}", "a header that is not ASCII": "é" + token,
        "half a character": "\ud800" + token, "a zero byte": token + "\0", "100,000 dots": "." * 100_000,
    }  # fmt: skip
    headers = {
        "a list": b'["HS256"]', "text": b'"HS256"', "a number": b"5", "null": b"null", "no JSON": b"{alg:HS256}",
        "empty": b"", "no UTF-8": b'{"alg":"HS256","x":"\xff"}', "nested 50,000 deep": b"[" * 50_000 + b"]" * 50_000,
    }  # fmt: skip
    cases = list(texts.items())
    cases += [(f"a token whose header is {what}, signed", forge(key, one)) for what, one in headers.items()]
    cases += [(f"a token whose header is {what}, forged", forge(b"?", one)) for what, one in headers.items()]
    refuses(lab, token, key, cases)


# ---- 20.4 ----------------------------------------------------------------------------------------------------

CHECK = Exercise(
    "20.4",
    "Check the claims",
    defines=("wrong_claims",),
    minutes=10,
    difficulty="medium",
    imports=BY_HAND | {"math"},
    hints=(
        "Begin with `wrong = []`, ask one claim after the other, and append its name when it is wrong. "
        "`claims.get(name)` gives None for one that is missing.",
        "`\"accounts\" in \"accounts-test\"` is True. Make a list of `aud` first, unless it is one, and see that "
        "all in it is text.",
        "A time is good when `type(value) in (int, float)` (isinstance takes a bool for an int) and "
        "`-math.inf < value < math.inf`, which NaN is not. Then: ended when `now >= exp + leeway`, not begun when "
        "`now < nbf - leeway`.",
    ),
)


def a_policy(lab, leeways=(10, 20, 30, 60)):
    """What one service accepts, drawn."""
    return {
        "issuer": f"https://id{lab.random.randrange(10**6)}.fernbank.example",
        "audience": lab.random.choice(["accounts", "statements", "cards"]) + str(lab.random.randrange(10**4)),
        "leeway": lab.random.choice(leeways),
    }


def good(lab, policy, **more):
    """Claims that a policy accepts."""
    now, ago = int(lab.now), lab.random.randrange(300, 3600)
    claims = {"iss": policy["issuer"], "aud": policy["audience"], "sub": "ana", "iat": now - ago, "exp": now + 900}
    return claims | more


def without(claims, name):
    """Claims with one of them left out."""
    return {key: value for key, value in claims.items() if key != name}


def says_wrong(lab, policy, cases):
    """Expect which claims are called wrong, for each case: (what is asked, claims, now, the names)."""
    cases = list(cases)
    outcomes = each(lab, "wrong_claims", [[claims, policy, now] for _, claims, now, _ in cases])
    for (what, _, _, names), given in zip(cases, outcomes, strict=True):
        is_list = isinstance(given, list) and all(isinstance(one, str) for one in given)
        lab.expect(is_list, "a list of names", f"wrong_claims() gave {given!r:.60}")
        lab.expect(sorted({*given}) == sorted(names), f"{names} for {what}", f"wrong_claims() gave {given!r:.60}")


@CHECK.customer("Good claims are accepted, whatever else they say", look_at="what you ask of each claim")
def accepted(lab):
    policy, now = a_policy(lab), int(lab.now)
    mine, other = policy["audience"], f"cards{lab.random.randrange(10**4)}"
    variants = {
        "good claims": {}, "aud as a list of one": {"aud": [mine]}, "aud as a list": {"aud": [other, mine]},
        "an nbf that is over": {"nbf": now - 5}, "times with a fraction": {"exp": now + 0.5, "nbf": now - 0.5},
        "claims that nobody asked for": {"roles": ["teller"], "name": None, "nonce": 5, "auth_time": "yesterday"},
        "an end far away": {"exp": now + 10**9},
    }  # fmt: skip
    says_wrong(lab, policy, [(what, good(lab, policy, **more), lab.now, []) for what, more in variants.items()])
    lab.call("wrong_claims", good(lab, policy), policy, lab.now)  # and changes neither of them


@CHECK.customer("Within the leeway, clocks may differ", look_at="which way the leeway shifts each time")
def leeway(lab):
    policy, now = a_policy(lab, range(45, 90)), int(lab.now)
    seconds = policy["leeway"]
    cases = [
        ("a token that ended a moment ago", good(lab, policy, exp=now), now, []),
        ("the last second of the leeway", good(lab, policy, exp=now - seconds + 1), now, []),
        ("a fraction of a second before its end", good(lab, policy, exp=now - seconds), now - 0.25, []),
        ("nbf a moment from now", good(lab, policy, nbf=now + 1), now, []),
        ("nbf exactly a leeway from now", good(lab, policy, nbf=now + seconds), now, []),
    ]
    says_wrong(lab, policy, cases)


@CHECK.probe("At exp + leeway it has ended, and each has an end", points=2, look_at="exp: >= or >, and if missing")
def ends(lab):
    policy, now = a_policy(lab), int(lab.now)
    seconds = policy["leeway"]
    says_wrong(lab, policy, [
        ("now == exp + leeway", good(lab, policy, exp=now - seconds), now, ["exp"]),
        ("a second after that", good(lab, policy, exp=now - seconds - 1), now, ["exp"]),
        ("an end long ago", good(lab, policy, exp=1_300_819_380), now, ["exp"]),
        ("an end at 0", good(lab, policy, exp=0), now, ["exp"]),
        ("no exp at all", without(good(lab, policy), "exp"), now, ["exp"]),
    ])  # fmt: skip
    strict = policy | {"leeway": 0}
    says_wrong(lab, strict, [("now == exp, with a leeway of 0", good(lab, strict, exp=now), now, ["exp"])])


@CHECK.probe("Before nbf - leeway it has not begun", look_at="nbf, where there is one")
def begins(lab):
    policy, now = a_policy(lab), int(lab.now)
    cases = [
        (f"nbf {after} s after the leeway", good(lab, policy, nbf=now + policy["leeway"] + after), now, ["nbf"])
        for after in (1, 0.5, 10**6)
    ]
    says_wrong(lab, policy, cases)


@CHECK.probe("Somebody else's token is refused", look_at="how you compare iss")
def another_issuer(lab):
    policy = a_policy(lab)
    mine, claims = policy["issuer"], good(lab, policy)
    others = [
        f"https://id{lab.random.randrange(10**6)}.mallory.example", mine + ".mallory.example", mine + "/", mine[:-1],
        mine.upper(), "", [mine], {mine: 1}, None, 0, True,
    ]  # fmt: skip
    cases = [(f"iss {other!r:.70}", claims | {"iss": other}, lab.now, ["iss"]) for other in others]
    says_wrong(lab, policy, [*cases, ("no iss at all", without(claims, "iss"), lab.now, ["iss"])])


@CHECK.probe("A token for somebody else is refused", points=2, look_at="aud: one text or a list of texts, each whole")
def another_audience(lab):
    policy = a_policy(lab)
    mine, claims = policy["audience"], good(lab, policy)
    others = [
        f"cards{lab.random.randrange(10**4)}", mine + "-test", "test-" + mine, mine[:-1], mine[:4], mine.upper(), "",
        [], [mine + "-test"], [mine[:-1]], [mine.upper()], [[mine]], [mine, 5], [None, mine], {mine: True}, None, 0,
    ]  # fmt: skip
    cases = [(f"aud {other!r:.70}", claims | {"aud": other}, lab.now, ["aud"]) for other in others]
    says_wrong(lab, policy, [*cases, ("no aud at all", without(claims, "aud"), lab.now, ["aud"])])


@CHECK.probe("A time is a number, and nothing else is", points=2, look_at="text, bool, NaN, infinity in exp and nbf")
def times(lab):
    policy, now = a_policy(lab), int(lab.now)
    ahead, nan, infinite = now + lab.random.randrange(100, 900), float("nan"), float("inf")
    for name, odd in {
        "exp": [str(ahead), f" {ahead} ", True, None, [ahead], {"n": ahead}, "", "2100-01-01", nan, infinite],
        "nbf": [str(now), f" {now} ", True, None, [now], {"n": now}, "", False, nan, infinite, -infinite],
    }.items():
        cases = [(f"{name} {value!r}", good(lab, policy, **{name: value}), now, [name]) for value in odd]
        says_wrong(lab, policy, cases)


@CHECK.probe("All that is wrong is said", look_at="whether you stop at the first claim that is wrong")
def all_of_it(lab):
    policy, now = a_policy(lab), int(lab.now)
    bad = {"iss": "https://mallory.example", "aud": "cards", "exp": now - 1000, "nbf": now + 1000}
    cases = [("no claims at all", {}, now, ["aud", "exp", "iss"])]
    for _ in range(6):
        names = lab.random.sample(sorted(bad), lab.random.randrange(2, 5))
        claims = good(lab, policy) | {name: bad[name] for name in names}
        cases.append((f"claims with wrong {', '.join(names)}", claims, now, names))
    says_wrong(lab, policy, cases)


# ---- 20.5 ----------------------------------------------------------------------------------------------------

SIZE = Exercise(
    "20.5",
    "How long will it be?",
    defines=("size",),
    minutes=6,
    imports=BY_HAND | {"math"},
    hints=(
        "Two dots and three parts. How many bytes has each part, and how many characters are so many bytes?",
        "Three bytes are four characters; one byte left over is two more, two are three: `(4 * bytes + 2) // 3`.",
        "32 bytes of signature for HS256, 64 for ES256 and EdDSA, and for RS256 what its key has: 2,048 bits.",
    ),
)


@cache
def _signer(alg):
    return generate(alg, "judge").signs  # RSA's takes a while, and no probe asks which key it is


def real(alg, claims):
    """The length of the token that PyJWT makes."""
    return len(jwt.encode(claims, _signer(alg), alg))


def sizes(lab, algs, claimses):
    """Expect size() to say what PyJWT's tokens have."""
    cases = [(alg, claims) for alg in algs for claims in claimses]
    for (alg, claims), given in zip(cases, each(lab, "size", [[*case] for case in cases]), strict=True):
        wanted = real(alg, claims)
        right = type(given) is int and given == wanted
        lab.expect(right, f"{wanted} for {alg} and the claims {claims!r:.50}", f"size() gave {given!r:.40}")


def grown(lab, count=4):
    """Claims of a few lengths, one byte apart."""
    start = lab.random.randrange(40)
    return [{"sub": "ana", "exp": int(lab.now) + 900, "fill": "x" * (start + more)} for more in range(count)]


@SIZE.customer("HS256: as long as PyJWT's own", points=2, look_at="how many characters the bytes of each part make")
def hs256(lab):
    sizes(lab, ["HS256"], [some_claims(lab), *grown(lab)])


@SIZE.probe("RS256: the signature is as long as its key", look_at="how many bytes 2,048 bits are")
def rs256(lab):
    sizes(lab, ["RS256"], [some_claims(lab), *grown(lab, 3)])


@SIZE.probe("ES256 and EdDSA: two numbers of 32 bytes", look_at="the signature, and the header, which names alg")
def curves(lab):
    sizes(lab, ["ES256", "EdDSA"], [some_claims(lab), *grown(lab, 3)])


@SIZE.probe("Claims of any kind and script, none and many", look_at="json.dumps: blanks, and letters beyond ASCII")
def other_claims(lab):
    permissions = [f"account:{lab.random.randrange(1000)}:read" for _ in range(lab.random.randrange(20, 80))]
    claimses = [{}, {"name": "Zoë 蕨 🌿"}, {"permissions": permissions}, {"a": [1, {"b": None}], "c": "\"\\\n"}]
    sizes(lab, ["HS256", "ES256"], claimses)
    lab.call("size", "HS256", {"name": "Ana"})  # and changes nothing
