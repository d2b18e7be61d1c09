"""show.token(): what it says of whole tokens, of damaged ones, and of what is none."""

import base64
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_teach_show import Page

from labs.auth import base64url, jws, keys, tokens
from labs.bench import skip
from labs.teach import show, token

NOW = 1_900_000_000
ISSUER = "https://id.fernbank.example"
HEADER = {"alg": "HS256", "typ": "at+jwt", "kid": "k"}
CLAIMS = {"iss": ISSUER, "sub": "ana", "aud": "accounts", "iat": NOW, "exp": NOW + 900, "jti": "t-1"}
FINE = "Nothing is wrong with its form. Whether the signature fits, only who has the key can say."


def part(value) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64url.encode(data)


def made(header=HEADER, claims=CLAIMS, signature=b"s" * 32) -> str:
    return f"{part(header)}.{part(claims)}.{base64url.encode(signature)}"


def wrong(text, now=NOW) -> list[str]:
    return token.explain(text, now).wrong


def row(drawing, first: str) -> list[str]:
    """The words of a line of the text form that begins with `first`."""
    (line,) = [line for line in drawing.text.splitlines() if line.split()[:1] == [first]]
    return line.split()


# ---- a whole token -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alg", ["HS256", "RS256", "ES256", "EdDSA"])
def test_an_honest_token_has_nothing_wrong(alg):
    text = tokens.issue(keys.generate(alg, ISSUER), "ana", "accounts", NOW)
    drawing = token.draw(text, NOW)
    assert drawing.text.splitlines()[:2] == [f"A token: 3 parts, {len(text)} characters", f"  {text}"]
    assert drawing.text.endswith(FINE)
    header, payload, signature = text.split(".")
    read = jws.read(text)
    for name, one, data in (
        ("header", header, base64url.decode(header)),
        ("payload", payload, read.payload),
        ("signature", signature, read.signature),
    ):
        assert row(drawing, name)[1:3] == [str(len(one)), str(len(data))]
    assert row(drawing, "in")[2] == str(len(text))
    for name, value in (read.header | json.loads(read.payload)).items():
        assert row(drawing, name)[1] == json.dumps(value)


def test_times_are_dates_with_how_far_away_they_are():
    drawing = token.draw(made(), NOW + 60)
    assert " ".join(row(drawing, "exp")) == "exp 1900000900 2030-03-17 18:01:40 UTC, expires in 14 minutes"
    assert " ".join(row(drawing, "iat")) == "iat 1900000000 2030-03-17 17:46:40 UTC, 60 seconds ago"
    assert "expired 5 minutes ago" in token.draw(made(), NOW + 1200).text


def test_the_clock_is_the_one_that_skip_moves(capsys):
    text = tokens.issue(keys.generate("HS256", ISSUER), "ana", "accounts", time.time())
    show.token(text)
    assert FINE in capsys.readouterr().out
    try:
        skip(minutes=20)
        assert show.token(text, title="Twenty minutes on") is None
    finally:
        skip.reset()
    said = capsys.readouterr().out
    assert said.startswith("Twenty minutes on\n")
    assert "  - It expired 5 minutes ago.\n" in said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (900, "in 15 minutes"), (899.2, "in 15 minutes"), (896, "in 15 minutes"), (86400, "in 24 hours"),
        (86395, "in 24 hours"), (3600 * 3.5, "in 4 hours"), (3600 * 3.5 - 5, "in 4 hours"), (60, "in 60 seconds"),
        (57, "in 60 seconds"), (-9, "just now"), (0, "just now"), (5, "in a few seconds"), (86400 * 7, "in 7 days"),
        (-86400 * 3653, "10 years ago"), (3600, "in 60 minutes"), (7200, "in 2 hours"),
    ],
)  # fmt: skip
def test_a_distance_does_not_change_while_a_page_runs(seconds, said):
    assert token._distance(seconds) == said


def test_html_says_the_same_and_marks_the_token_in_one_node():
    text = made(claims=CLAIMS | {"name": "<b>Ana</b> & `co`", "iban": "GB00 1234"})
    drawing = token.draw(text, NOW)
    page = Page(drawing.html)
    assert page.marked == [text, '"GB00 1234"']
    assert "b" not in page.tags
    assert '"<b>Ana</b> & `co`"' in page.nodes
    for value in ('"t-1"', '"k"', "1900000900"):
        assert value in page.nodes
    assert [page.tags.count(tag) for tag in ("table", "caption", "thead", "ul", "li")] == [3, 3, 3, 1, 1]
    assert ("aria-label", "The token") in page.attributes
    assert {("scope", "col"), ("scope", "row")} <= set(page.attributes)
    words = " ".join(drawing.text.replace("`", "").split())
    for node in page.nodes:
        assert " ".join(node.replace("`", "").split()) in words


# ---- what is wrong -------------------------------------------------------------------------------------------

WRONG = {
    "alg none": (made({"typ": "JWT", "alg": "nOnE"}, signature=b""), ["`alg` is none: nobody signed it"]),
    "no alg": (made({"typ": "JWT"}), ["The header names no algorithm"]),
    "alg of another kind": (made(HEADER | {"alg": 5}), ["The header names no algorithm"]),
    "alg as a list": (made(HEADER | {"alg": ["HS256"]}), ["The header names no algorithm"]),
    "an alg like ours": (made(HEADER | {"alg": "ES256K"}), ["`alg` is ES256K, which names no way to sign"]),
    "unknown alg": (made(HEADER | {"alg": "ROT13"}), ["`alg` is ROT13, which names no way to sign"]),
    "no typ": (made({"alg": "HS256"}), ["what kind of token it is (`typ`)"]),
    "a kid that is a number": (made(HEADER | {"kid": 7}), ["`kid` is not text"]),
    "a key of its own": (made(HEADER | {"jwk": {}, "jku": "http://x"}), ["(`jku`)", "(`jwk`)"]),
    "crit": (made(HEADER | {"crit": ["b64"], "b64": False}), ["extension (`crit`)", "extension (`b64`)"]),
    "no signature": (made(signature=b""), ["The signature is missing"]),
    "a short signature": (made(signature=b"s" * 31), ["The signature has 31 bytes, and HS256 makes 32."]),
    "a short RSA signature": (made(HEADER | {"alg": "RS256"}, signature=b"s" * 128), ["128 bytes, and RS256"]),
    "DER": (made(HEADER | {"alg": "ES256"}, signature=b"\x30" * 70), ["and ES256 makes 64: it looks like DER"]),
    "r and s are 0": (made(HEADER | {"alg": "ES256"}, signature=bytes(64)), ["r or s of the signature is 0"]),
    "exp is null": (made(claims=CLAIMS | {"exp": None}), ["`exp` is no time"]),
    "no exp": (made(claims={name: CLAIMS[name] for name in ("iss", "sub", "aud", "iat")}), ["It never ends"]),
    "exp as text": (made(claims=CLAIMS | {"exp": str(NOW + 9)}), ["`exp` is no time"]),
    "nbf as bool": (made(claims=CLAIMS | {"nbf": True}), ["`nbf` is no time"]),
    "exp far off": (made(claims=CLAIMS | {"exp": 1e300}), ["`exp` is no time"]),
    "exp now": (made(claims=CLAIMS | {"exp": NOW}), ["It expired just now"]),
    "from the future": (made(claims=CLAIMS | {"iat": NOW + 600}), ["`iat` lies in the future: in 10 minutes"]),
    "a sub that is a number": (made(claims=CLAIMS | {"sub": 7}), ["`sub` is not text"]),
    "an aud of numbers": (made(claims=CLAIMS | {"aud": ["a", 1]}), ["`aud` is neither text nor a list of texts"]),
    "empty claims": (made(claims={"n": 1}), ["(`iss`)", "(`sub`)", "(`aud`)", "there is no `exp`"]),
    "a password": (made(claims=CLAIMS | {"password": "wren"}), ["`password` looks like a secret"]),
    "padding": (made() + "=", ["The signature has padding"]),
    "plain base64": (made(signature=b"\xff" * 32).replace("_", "/"), ["The signature is base64 with `+` and `/`"]),
    "stray characters": (made().replace(".", ".*", 1), ["In the payload stands what does not belong"]),
    "stray bits": (made(signature=b"s" * 31 + b"\0")[:-1] + "B", ["The last character of the signature holds bits"]),
    "cut off": (made()[:-2], ["The signature is cut off: base64url never has 41 characters"]),
    "cut off by a half": (made()[:149], ["this has 2 parts", "The payload is not JSON"]),
    "white space": (made() + "\n", ["There is white space around it"]),
    "with its scheme": ("Bearer " + made(), ["`Bearer` is the scheme", "In the header stands", "The header is not"]),
    "a header that is a list": (made(header=[1]), ["The header is JSON, but not an object"]),
    "a payload that is no text": (made(claims=b"\xff\xfe"), ["The payload is not UTF-8 text"]),
    "twice": (made(claims=b'{"sub":"ana",' + json.dumps(CLAIMS).encode()[1:]), ["`sub` stands twice in the payload"]),
    "nested": (made(claims=b'{"a":' + b"[" * 100_000), ["It has 133,", "The payload is nested too deep to be read"]),
    "two parts": (made().rpartition(".")[0], ["three parts, divided by dots, and this has 2 parts"]),
    "four parts": (made() + ".x", ["and this has 4 parts"]),
    "five parts": (made({"alg": "RSA-OAEP-256", "enc": "A256GCM", "typ": "JWT"}) + ".eA.eA", ["Five parts: it"]),
    "bytes": (made().encode(), ["It is bytes, and a token is text"]),
    "nothing": ("", ["It is empty"]),
    "none": (None, ["It is no text, but of type NoneType"]),
    "a dict": ({"alg": "HS256"}, ["It is no text, but of type dict"]),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_and_nothing_else(name):
    text, sentences = WRONG[name]
    found = wrong(text)
    assert len(found) == len(sentences), found
    for words in sentences:
        assert [one for one in found if words in one], (words, found)
    drawing = token.draw(text, NOW)
    for one in found:
        assert one in drawing.text
    assert FINE not in drawing.text


def test_a_damaged_token_is_still_read():
    drawing = token.draw("x" + made()[:-20], NOW)
    assert row(drawing, "sub")[1] == '"ana"'
    assert "The header, decoded: " in drawing.text
    cut = token.draw(made()[:150], NOW)
    assert 'The payload, decoded: {"iss": "https://id.fernbank.example", "sub"' in cut.text


def test_an_encrypted_token_says_what_its_five_parts_are():
    drawing = token.draw(made({"alg": "dir", "enc": "A256GCM", "typ": "JWT"}) + ".eA.eA", NOW)
    assert "ciphertext " in drawing.text
    assert " ".join(row(drawing, "alg")[2:]) == "how the key inside is encrypted"
    assert "payload" not in drawing.text


def test_a_huge_token_is_cut_and_counted():
    drawing = token.draw(made(claims=CLAIMS | {"fill": "x" * 1_000_000, **{f"n{n}": n for n in range(200)}}), NOW)
    assert len(drawing.text) < 15_000
    assert "characters, and servers take about 8,192" in drawing.text
    assert "The payload, decoded: the first 60 of 207 members" in drawing.text
    assert row(drawing, "n52")[1] == "52"
    assert "n53 " not in drawing.text
    assert len(token.draw("." * 1_000_000, NOW).html) < 5_000


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = ["alg", "typ", "kid", "crit", "enc", "jwk", "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "pin", "<b>"]
JSON_PART = st.dictionaries(st.sampled_from(NAMES), ANY_JSON, max_size=6).map(part)
ALPHABET = st.text("abcXYZ09-_=+/. *\0\u2028é<&`\ud800", max_size=20)


@given(st.lists(JSON_PART | ALPHABET | st.binary(max_size=80).map(part), max_size=6).map(".".join), st.floats(0, 4e9))
def test_no_token_breaks_a_drawing(text, now):
    drawing = token.draw(text, now)
    page = Page(drawing.html)
    tables = {"table", "caption", "thead", "tbody", "tr", "th", "td"}
    assert set(page.tags) <= tables | {"p", "strong", "pre", "mark", "ul", "li", "code"}
    assert all(one.isprintable() or one in "\n\t" for one in drawing.text)


@given(st.none() | st.binary(max_size=50) | st.integers() | st.lists(st.text(), max_size=2) | ALPHABET)
def test_anything_may_be_given(thing):
    assert token.draw(thing, NOW).text


def test_what_is_drawn_is_decoded_and_never_executed_as_markup():
    evil = base64.urlsafe_b64encode(b'{"sub":"<script>alert(1)</script>"}').decode().rstrip("=")
    assert "<script>" not in token.draw(f"{part(HEADER)}.{evil}.x", NOW).html
    page = Page(token.draw(made(HEADER | {"alg": "<script>"}), NOW).html)
    assert "script" not in page.tags
    assert "is <script>, which names no way" in page.text
