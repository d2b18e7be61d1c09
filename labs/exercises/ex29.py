"""Exercises of lab 29, The token gate: one cell, judged by Fernbank's token profile in four tiers.

Each probe is one rule of the profile, with its number on the lab's page. `labs/auth/tokens.py` keeps the same rules.
"""

import json
from itertools import cycle

from labs.auth import base64url
from labs.auth.algorithms import ALGORITHMS, ORDER, sign
from labs.auth.jws import LONGEST
from labs.auth.token_errors import TokenRefused
from labs.servers import accounts, customers
from labs.servers.books import Books

from . import vectors
from .exercise import BASICS, Exercise
from .forged import (
    bad_changes,
    claims_of,
    deep_values,
    forgeries,
    headers,
    huge_tokens,
    odd_texts,
    of_length,
    other_signatures,
    restyled,
    rsa_jwk,
    styles,
    weak_keys,
)
from .gate import REFUSED, Case, ask, ask_singly, bad, gate, good, hold, mixed, said, signed_by, spoilt, verifying
from .lab import FAST, Lab
from .malformed import BROKEN, malformed
from .mint import GONE, Issuer, Mint, changed, compact, jwk, mac, public_texts, rsa_key, with_signature
from .process import LearnerError

IMPORTS = BASICS | {"binascii", "collections", "cryptography", "dataclasses", "enum", "functools", "itertools"}


def tier(id, title, minutes, difficulty, *hints, mount=None):
    """One tier of the lab: every tier judges the same cell."""
    return Exercise(
        id,
        title,
        defines=("Refused", "payload", "verify"),
        imports=IMPORTS,
        minutes=minutes,
        difficulty=difficulty,
        hints=hints,
        mount=mount,
    )


# ---- tier 1: the signature ------------------------------------------------------------------------------------

SIGNATURE = tier(
    "29.1",
    "The signature",
    40,
    "medium",
    "Lesson 21's exercise on ES256 is one of the four. Split at the dots, decode, ask the key for its algorithm, "
    "compare the header's alg with that, verify `header.payload` as it was sent. verify() may wait for tier 3.",
    "Three of the four are one call of `cryptography` each, and raise InvalidSignature: `key.verify(signature, "
    "signed, padding.PKCS1v15(), SHA256())`, `key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(SHA256()))`, "
    "`key.verify(signature, signed)`. HS256 is `hmac.compare_digest(hmac.digest(...), signature)`.",
    'Load the key by what kty, crv and alg say *together*: `match jwk.get("kty"), jwk.get("crv"), jwk.get("alg")`. '
    "What is wrong with a key raises KeyError, TypeError, ValueError or UnsupportedAlgorithm: turn all of them into "
    "Refused. `raise Refused(...) from None` hides the first error.",
)


@SIGNATURE.customer(
    "1 · What the key signed comes back, byte for byte, in all four algorithms",
    points=2,
    look_at="payload(), line by line",
)
def comes_back(lab):
    mint, cases = Mint(lab.random), []
    shown = cycle([{}, {"use": GONE}, {"kid": GONE}, {"key_ops": ["sign", "verify"]}, {"use": GONE, "x5t": "x"}])
    for alg in ALGORITHMS:
        key, stranger = mint.key(alg), mint.key(alg)
        for header, length in zip(headers(lab.random, alg), lab.random.sample([0, 30, 300], 3), strict=True):
            data, *others = (lab.random.randbytes(size) for size in (length, 30, 30, 30, 30))
            tokens = [compact(header, each, key) for each in (data, *others)]
            swapped = with_signature(tokens[2], base64url.decode(tokens[3].split(".")[2]))
            given, what = (
                changed(jwk(key), next(shown)),
                f"a token of {alg} with the header {json.dumps(header):.200}",
            )
            cases += [signed_by(what, tokens[0], given, data), signed_by(*spoilt(lab, what, tokens[1]), given)]
            cases += [signed_by(f"{what}, with the signature of another token,", swapped, given)]
            cases += [signed_by(f"{what}, signed by somebody else,", compact(header, others[3], stranger), given)]
    ask(lab, "payload", mixed(lab, cases))


@SIGNATURE.customer("2 · The standards' own examples", look_at="the example that is named: it stands in data/vectors")
def published(lab):
    cases = []
    for one in vectors.rfcs():
        if one.payload is not None:
            cases.append(judged(one))
            cases.append(signed_by(*spoilt(lab, one.label, one.token), one.jwk))
    ask(lab, "payload", mixed(lab, cases))


def judged(one):
    """A published vector as a case."""
    return signed_by(one.label, one.token, one.jwk, REFUSED if one.payload is None else one.payload)


@SIGNATURE.probe(
    "3 · Wycheproof's 401 vectors, and the RFCs' tokens that are none",
    points=2,
    look_at="the vector that is named, and the page's list",
)
def wycheproof(lab):
    refused = (one for one in vectors.rfcs() if one.payload is None)
    ask(lab, "payload", map(judged, [*vectors.wycheproof(), *vectors.repinned(), *refused]))


@SIGNATURE.probe(
    "4 · alg is the key's, letter for letter", points=2, look_at="what you compare the header's alg with"
)
def alg_exactly(lab):
    mint, cases = Mint(lab.random), []
    for alg in ALGORITHMS:
        key, data = mint.key(alg), claims_of(lab)
        names = ["none", "None", "NONE", "nOnE", "", alg.lower(), alg.swapcase(), f"{alg} ", f"{alg}\0"]
        names += ["HS512", "Ed25519"]
        names += [f"{alg[:2]}384", *(other for other in ALGORITHMS if other != alg)]
        for name in [GONE, None, True, 0, [], {}, [alg], {alg: 1}, *names]:
            header = changed({"kid": key.kid}, {"alg": name})
            what = f"a token {said('alg', name)}, whose key is for {alg},"
            cases.append(signed_by(what, compact(header, data, key), key))
            cases.append(signed_by(f"{what} and without a signature", compact(header, data, lambda _: b""), key))
        cases.append(signed_by("a token without a signature", compact({"alg": alg}, data, lambda _: b""), key))
    ask(lab, "payload", cases)


@SIGNATURE.probe(
    "5 · A public key is no HMAC secret, in whatever form", points=2, look_at="who chooses the algorithm"
)
def key_confusion(lab):
    mint, cases = Mint(lab.random), []
    for alg in ("RS256", "ES256", "EdDSA"):
        key = mint.key(alg)
        for form, secret in public_texts(key):
            for named in ("HS256", alg):
                token = compact({"alg": named, "kid": key.kid}, claims_of(lab), mac(secret))
                what = f"a token whose alg says {named}, and whose signature is an HMAC with the {alg} key's {form}"
                cases.append(signed_by(what, token, key))
    ask(lab, "payload", cases)


@SIGNATURE.probe(
    "6 · A signature is whole, and made as its alg says", points=2, look_at="which verify() call the key gets"
)
def made_otherwise(lab):
    mint, cases = Mint(lab.random), []
    for alg in ALGORITHMS:
        key = mint.key(alg)
        for what, signature in other_signatures(key):
            token = compact({"alg": alg, "kid": key.kid}, claims_of(lab), signature)
            cases.append(signed_by(f"a token of {alg} whose signature is {what}", token, key))
    ask(lab, "payload", cases)


@SIGNATURE.probe("7 · ES256: r and s lie between 1 and n - 1", look_at="the numbers, before the library sees them")
def psychic(lab):
    key, numbers = Mint(lab.random).key("ES256"), [0, 1, ORDER - 1, ORDER, ORDER + 1, 2**256 - 1]
    some = lab.random.randrange(1, ORDER)
    cases = []
    for r in [*numbers, some]:
        for s in [*numbers, some]:
            token = compact(
                {"alg": "ES256"}, claims_of(lab), lambda _, r=r, s=s: r.to_bytes(32, "big") + s.to_bytes(32, "big")
            )
            cases.append(signed_by(f"a token of ES256 with r = {named(r)} and s = {named(s)}", token, key))
    ask(lab, "payload", cases)


def named(number):
    """A number as it is written beside n, the order of P-256."""
    near = {ORDER - 1: "n - 1", ORDER: "n", ORDER + 1: "n + 1", 2**256 - 1: "2^256 - 1"}
    return near.get(number, str(number))


@SIGNATURE.probe("8 · A key that the token brings along is not followed", look_at="where your key comes from")
def embedded(lab):
    mint, cases = Mint(lab.random), []
    for alg in ALGORITHMS:
        victim, mallory = mint.key(alg), mint.key(alg)
        own = jwk(mallory) | {"kid": victim.kid}
        chain = (
            [base64url.encode(lab.random.randbytes(60))]
            if alg == "HS256"
            else [dict(public_texts(mallory))["DER"].hex()]
        )
        for name, value in {"jwk": own, "x5c": chain, "jku": "https://mallory.example/", "x5u": "file:///x"}.items():
            token = compact({"alg": alg, "kid": victim.kid, name: value}, claims_of(lab), mallory)
            cases.append(
                signed_by(
                    f"a token of {alg} that Mallory signed, with her key in the header's {name},", token, victim
                )
            )
    ask(lab, "payload", cases)


@SIGNATURE.probe("9 · crit and b64 are refused, whatever they hold", look_at="two names in the header")
def extensions(lab):
    mint, cases = Mint(lab.random), []
    for alg in ALGORITHMS:
        key = mint.key(alg)
        for more in (
            {"crit": ["exp"]}, {"crit": []}, {"crit": None}, {"crit": "exp"}, {"crit": ["alg"]}, {"crit": {}},
            {"crit": True}, {"b64": False}, {"b64": True}, {"b64": None}, {"crit": ["b64"], "b64": False},
            {"crit": ["b64"], "b64": True},
        ):  # fmt: skip
            token = compact({"alg": alg} | more, claims_of(lab), key)
            cases.append(signed_by(f"a token of {alg} with {json.dumps(more)} in its header", token, key))
    ask(lab, "payload", cases)


@SIGNATURE.probe("10 · A key that is not in order verifies nothing", points=2, look_at="how you load a key")
def bad_keys(lab):
    cases = []
    for alg in ALGORITHMS:
        key = Mint(lab.random).key(alg)
        token = compact({"alg": alg, "kid": key.kid}, claims_of(lab), key)
        for change in bad_changes(lab.random, key):
            shown = ", ".join(said(name, value) for name, value in change.items())
            cases.append(signed_by(f"a token of {alg}, whose key is one {shown},", token, changed(jwk(key), change)))
    cases += [signed_by(what, token, given) for what, token, given in weak_keys(lab)]
    ask(lab, "payload", cases)


# ---- tier 2: the form -----------------------------------------------------------------------------------------

FORM = tier(
    "29.2",
    "The form",
    35,
    "hard",
    "Ask about type and length before you do anything else with the token. What you do not accept by its form, "
    "`cryptography` never sees.",
    "Python's base64 decoder skips what it does not know, takes `=`, and ignores spare bits. One comparison finds "
    "all of it: encode again what you decoded, and see whether the same text comes out. Text that is not ASCII "
    "raises ValueError.",
    "`json.loads` guesses the encoding of bytes: decode them as UTF-8 yourself. `object_pairs_hook` sees a member "
    "that stands twice, `parse_constant` sees NaN. What is nested too deep raises RecursionError, and a number of "
    "5,000 digits ValueError.",
)


def both(issuer, what, token, alg="HS256"):
    """Cases for verify() and payload() that must be refused, payload() with the issuer's key for `alg`."""
    return ("verify", verifying(issuer, what, token)), ("payload", signed_by(what, token, issuer.keys[alg]))


def ask_both(lab, cases):
    """Ask pairs of both(), one function after the other."""
    cases = list(cases)
    for name in ("payload", "verify"):
        ask(lab, name, [case for whose, case in cases if whose == name])


@FORM.customer("11 · JSON of any style, and up to 8,192 characters", points=2, look_at="what you refuse too early")
def any_style(lab):
    issuer, cases = gate(lab), []
    for alg in issuer.keys:
        key, header = issuer.keys[alg], issuer.header(alg)
        for (style, text, claims), (_, other, _) in zip(styles(issuer), styles(issuer), strict=True):
            token, what = compact(restyled(lab.random, header), text, key), f"a token whose claims are {style}"
            cases.append(verifying(issuer, what, token, claims))
            cases.append(verifying(issuer, *spoilt(issuer, what, compact(restyled(lab.random, header), other, key))))
        token, claims = of_length(issuer, alg, LONGEST)
        cases.append(verifying(issuer, f"a token of exactly {LONGEST:,} characters", token, claims))
        other, _ = of_length(issuer, alg, LONGEST)
        cases.append(verifying(issuer, *spoilt(issuer, f"a token of {LONGEST:,} characters", other)))
    ask(lab, "verify", mixed(lab, cases))


@FORM.probe("12 · A token is text of at most 8,192 characters", points=2, look_at="the very first thing you ask")
def text_and_length(lab):
    issuer, cases = gate(lab), []
    token = issuer.token("HS256")
    for thing in (None, True, 5, 1.5, [], {}, [token], {"token": token}, token.encode(), b""):
        cases += both(issuer, f"{thing!r:.60}, which is no text,", thing)
    for alg in issuer.keys:
        token, _ = of_length(issuer, alg, LONGEST + 1)
        cases += both(issuer, f"a token of {LONGEST + 1:,} characters", token, alg)
    key = issuer.keys["HS256"]
    for text in ('{"x":' + "[" * 10_000 + "]" * 10_000 + "}", "[" * 10_000, '{"a":' * 10_000):
        inside, outside = text.encode(), issuer.header("HS256")
        cases += both(issuer, "a token nested 10,000 deep", compact(outside, inside, key))
        cases += both(issuer, "a token with a header nested 10,000 deep", compact(inside, issuer.claims(), key))
    ask_both(lab, cases)
    ask(lab, "verify", [verifying(issuer, *huge) for huge in huge_tokens(issuer)])


@FORM.probe("13 · Three parts, and two dots", look_at="how you split")
def three_parts(lab):
    issuer, cases = gate(lab), []
    for alg in issuer.keys:
        token = issuer.token(alg)
        first, second, third = token.split(".")
        sealed = base64url.encode(json.dumps({"alg": "dir", "enc": "A256GCM", "kid": issuer.keys[alg].kid}).encode())
        noise = [base64url.encode(lab.random.randbytes(size)) for size in (12, 80, 16)]
        texts = {
            "with no part at all": "", "of one part": first, "of two parts": f"{first}.{second}", "of two dots": "..",
            "of one dot": ".", "of four parts, one of them empty,": token + ".", "of four parts": f"{token}.{third}",
            "with a dot before it": "." + token, "of five parts": f"{first}.{second}.{third}.{second}.{third}",
            "with an empty part in the middle": f"{first}..{second}.{third}",
            "of five parts, encrypted,": f"{sealed}..{'.'.join(noise)}", "with commas": token.replace(".", ","),
            "in the JSON form": json.dumps({"payload": second, "protected": first, "signature": third}),
            "with the word Bearer before it": f"Bearer {token}", "with other dots": token.replace(".", "\u3002"),
        }  # fmt: skip
        for what, text in texts.items():
            cases += both(issuer, f"a token {what}", text, alg)
    ask_both(lab, cases)


@FORM.probe("14 · base64url without padding: one text for one token", points=2, look_at="how you decode a part")
def canonical(lab):
    cases = []
    for alg in ("HS256", "ES256", "EdDSA"):
        issuer = gate(lab, alg)
        for number in [0, 1, 2] * 4:
            for what, text in odd_texts(issuer, issuer.keys[alg], number):
                cases += both(issuer, what, text, alg)
    ask_both(lab, cases)


@FORM.probe("15 · The header is a JSON object, read strictly", points=2, look_at="how you read JSON")
def strict_header(lab):
    cases = []
    for alg in ("HS256", "ES256", "EdDSA"):
        issuer = gate(lab, alg)
        for what, broken in BROKEN.items():
            for header in broken(lab.random, issuer.header(alg)):
                token = compact(header, issuer.claims(), issuer.keys[alg])
                cases += both(issuer, f"a signed token whose header {what}", token, alg)
    ask_both(lab, cases)


@FORM.probe("16 · So are the claims", points=2, look_at="how verify() reads the payload")
def strict_claims(lab):
    issuer, cases = gate(lab), []
    for alg in issuer.keys:
        for what, broken in BROKEN.items():
            for claims in broken(lab.random, issuer.claims()):
                token = compact(issuer.header(alg), claims, issuer.keys[alg])
                cases.append(verifying(issuer, f"a signed token whose payload {what}", token))
    ask(lab, "verify", cases)


@FORM.probe(
    "17 · What is deep or huge inside raises nothing else", look_at="RecursionError, ValueError, OverflowError"
)
def deep(lab):
    issuer = gate(lab)
    for alg in issuer.keys:
        key, header, claims = issuer.keys[alg], json.dumps(issuer.header(alg)), json.dumps(issuer.claims())
        for what, value in deep_values(lab.random):
            inside = f', "x": {value}}}'
            tokens = [compact((header[:-1] + inside).encode(), claims.encode(), key)]
            tokens.append(compact(header.encode(), (claims[:-1] + inside).encode(), key))
            cases = [Case(f"a token with {what} in it", [token, issuer.policy, issuer.now]) for token in tokens]
            for case, given in zip(cases, lab.call_each("verify", [case.args for case in cases]), strict=True):
                lets_in = (
                    not isinstance(given, Exception) or given.type == "NotPlain"
                )  # so deep that no message takes it
                if not lets_in:
                    hold("verify", case, given)


@FORM.probe(
    "18 · Thousands of malformed tokens, and honest ones among them", points=3, look_at="the token that is shown"
)
def by_the_thousand(lab):
    issuer = gate(lab, *ALGORITHMS)
    cases = []
    for number, (what, token) in enumerate(malformed(issuer, 5_200)):
        cases.append(verifying(issuer, what, token))
        if number % 200 == 0:
            cases += good(issuer, "an honest token among malformed ones")
    ask(lab, "verify", cases)


# ---- tier 3: the claims ---------------------------------------------------------------------------------------

CLAIMS = tier(
    "29.3",
    "The claims",
    30,
    "medium",
    "Find the key first: the header's kid, if it is a text, names one of policy['keys'], and payload(token, that "
    "key) does the rest. Only what it returns is worth reading.",
    "`isinstance(True, int)` is True in Python: ask `type(value) in (int, float)`. And 1e400 is infinity: "
    "compare with 10**15 before you compute.",
    "`'accounts' in aud` finds it inside 'accounts-old' when aud is a text, and among the names when it is a dict. "
    "Make a list of a text, and look at nothing else.",
)


@CLAIMS.customer(
    "19 · Whoever has a token of one of the policy's keys gets in", points=2, look_at="how verify() finds the key"
)
def gets_in(lab):
    issuer = gate(lab, *ALGORITHMS)
    cases = [case for alg in [*ALGORITHMS, *ALGORITHMS] for case in good(issuer, f"a token of {alg}", alg)]
    for alg in ALGORITHMS:
        keys = [one for one in issuer.policy["keys"] if one["alg"] == alg]
        claims = issuer.claims()
        token = issuer.token(alg, claims)
        cases.append(
            Case(
                f"a token of {alg}, the policy's only key,",
                [token, issuer.policy | {"keys": keys}, issuer.now],
                claims,
            )
        )
    ask_singly(lab, "verify", mixed(lab, cases))


@CLAIMS.customer(
    "20 · Several audiences, fractions of a second, claims that no rule names", look_at="what you ask of a claim"
)
def optional_forms(lab):
    issuer = gate(lab)
    now, aud = int(issuer.now), issuer.policy["audience"]
    cases = good(
        issuer, "a token for several audiences", aud=lab.random.sample([aud, "statements", "https://x.example"], 3)
    )
    cases += good(issuer, "a token whose aud is a list of one", aud=[aud])
    cases += good(issuer, "a token whose times have fractions", iat=now - 10.5, exp=now + 60.25, nbf=now - 0.75)
    cases += good(issuer, "a token whose times are whole, and written 1.0", iat=float(now - 10), exp=float(now + 60))
    cases += good(issuer, "a token with nbf in the past", nbf=now - lab.random.randrange(1, 10**6))
    cases += good(issuer, "a token that was issued long ago, and has not ended,", iat=0, nbf=0)
    cases += good(issuer, "a token that lasts for a century", exp=now + 100 * 365 * 86400)
    cases += good(
        issuer, "a token with claims of all kinds", roles=["teller"], scope="read", auth_time=None, x={"kid": [1.5]}
    )
    cases += good(issuer, "a token without jti", jti=GONE)
    cases += good(
        issuer, "a token about somebody with another name", sub=lab.random.choice(["Zoë", "0", "ana@example", "a b"])
    )
    ask(lab, "verify", mixed(lab, cases))


@CLAIMS.customer("21 · Up to the last moment of the leeway", look_at="the comparisons with leeway")
def last_moment(lab):
    cases = []
    for leeway in (0, lab.random.randrange(1, 90), lab.random.randrange(1, 90) + 0.5):
        issuer = gate(lab)
        issuer.policy["leeway"], now = leeway, issuer.now
        cases += good(
            issuer, f"a token that ended {leeway - 0.25} s ago, with a leeway of {leeway} s,", exp=now + 0.25 - leeway
        )
        cases += good(
            issuer, f"a token issued {leeway} s in the future, with that leeway,", iat=now + leeway, exp=now + 300
        )
        cases += good(
            issuer, f"a token that begins in {leeway} s, with that leeway,", nbf=now + leeway, exp=now + 300
        )
    ask(lab, "verify", mixed(lab, cases))


@CLAIMS.probe(
    "22 · kid is a text that names a key of the policy, and that key signed", points=2, look_at="how you find the key"
)
def right_kid(lab):
    issuer = gate(lab)
    second = Mint(lab.random).key("HS256")
    issuer.policy["keys"].append(jwk(second))
    cases = []
    for alg, key in issuer.keys.items():
        kid, unknown = key.kid, Mint(lab.random).kid()
        for value in (
            GONE, None, True, False, 0, 1, -1, 1.5, "", [], {}, [kid], {kid: 1}, unknown, kid.upper(), f" {kid}",
            f"{kid} ", kid[:-1], f"{kid}0", f"{kid}\0", f"./{kid}", "../../dev/null", "0", "*", "' OR 1=1 --",
            second.kid,
            *(other.kid for other in issuer.keys.values() if other is not key),
        ):  # fmt: skip
            cases.append(verifying(issuer, f"a token of {alg} {said('kid', value)}", issuer.token(alg, kid=value)))
        nobodys = compact(issuer.header("HS256", kid=unknown), issuer.claims(), mac(b""))
        cases.append(verifying(issuer, "a token with an unknown kid, signed with an empty secret,", nobodys))
        for form, secret in public_texts(key) if alg != "HS256" else ():
            token = compact(issuer.header("HS256", kid=kid), issuer.claims(), mac(secret))
            cases.append(
                verifying(issuer, f"a token of HS256 with the kid of the {alg} key, signed with its {form},", token)
            )
    ask(lab, "verify", cases)


@CLAIMS.probe("23 · A bad key in the policy verifies nothing, and disturbs nobody", look_at="when you load which key")
def bad_among_good(lab):
    issuer, mint = gate(lab), Mint(lab.random)
    weak, sealing = rsa_key(1024), mint.key("ES256")
    bad_ones = [
        rsa_jwk(weak.public_key().public_numbers().n, kid="weak"), jwk(sealing) | {"use": "enc"},
        {"kty": "oct", "k": base64url.encode(b"short"), "alg": "HS256", "kid": "short"},
        {"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA", "alg": "ES512", "kid": mint.kid()},
        {"kty": "RSA", "n": "!", "e": 5, "alg": "RS256", "kid": mint.kid()},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "alg": "ES256", "kid": mint.kid()},
        {"kty": "quux", "kid": mint.kid(), "alg": "XY256"}, {"kid": mint.kid()},
    ]  # fmt: skip
    issuer.policy["keys"] = bad_ones + issuer.policy["keys"]
    cases = [case for alg in issuer.keys for case in good(issuer, f"a token of {alg}, whose key is in order,", alg)]
    signers = {"RS256": ("weak", lambda data: sign("RS256", weak, data)), "HS256": ("short", mac(b"short"))}
    signers["ES256"] = (sealing.kid, sealing)
    for alg, (kid, signer) in signers.items():
        token = compact(issuer.header("HS256", alg=alg, kid=kid), issuer.claims(), signer)
        cases.append(verifying(issuer, f"a token of {alg}, whose key is too weak or for encryption,", token))
    for key in bad_ones:
        cases.append(bad(issuer, f"a token with the kid of the bad key {key!r:.100}", {"kid": key["kid"]}))
    ask(lab, "verify", cases)


@CLAIMS.probe("24 · The keys of this policy, and of no other", look_at="what you keep between two calls")
def policies_apart(lab):
    cases = []
    for alg in ("HS256", "ES256", "EdDSA"):
        first, second = gate(lab, alg), gate(lab, alg)
        second.now = first.now
        second.keys[alg] = Mint(lab.random).key(alg, first.keys[alg].kid)
        second.policy["keys"] = [jwk(second.keys[alg])]
        for here, there in ((first, second), (second, first), (first, second)):
            cases += good(here, f"a token of {alg}", alg)
            ours = here.claims()
            cases.append(
                verifying(here, f"a token of {alg} by another issuer's key of the same kid", there.token(alg, ours))
            )
        gone = first.policy | {"keys": []}
        cases.append(Case(f"a token of {alg} whose key has left the policy", [first.token(alg), gone, first.now]))
    ask(lab, "verify", cases)


def each_bad(lab, name, values, where="claims"):
    """Ask verify() about tokens that are honest but for one member, which has each of these values."""
    issuer, cases = gate(lab), []
    for value in values(issuer):
        change = {"header": {name: value}} if where == "header" else {name: value}
        cases.append(bad(issuer, f"a token {said(name, value)}", **change))
    cases += good(issuer, f"a token with the {name} that it should have")
    ask(lab, "verify", cases)


@CLAIMS.probe("25 · typ is the policy's, letter for letter", look_at="typ in the header")
def right_typ(lab):
    def values(issuer):
        typ = issuer.policy["typ"]
        return [
            GONE, None, True, 5, "", "JWT", "jwt", typ.upper(), typ.title(), f"application/{typ}", f" {typ}",
            f"{typ} ", typ[:-1], f"{typ}x", [typ], {typ: 1}, [], "id+jwt",
        ]  # fmt: skip

    each_bad(lab, "typ", values, "header")


@CLAIMS.probe("26 · iss is the policy's issuer", look_at="iss")
def right_iss(lab):
    def values(issuer):
        iss = issuer.policy["issuer"]
        return [
            GONE, None, True, 5, "", [], {}, [iss], {iss: 1}, f"{iss}/", iss.upper(), iss[:-1], iss[8:], f" {iss}",
            f"{iss}.mallory.example", iss.replace("https", "http"), "https://mallory.example", f"https://mallory.example/{iss}",
        ]  # fmt: skip

    each_bad(lab, "iss", values)


@CLAIMS.probe(
    "27 · aud is the policy's audience, or a list of texts that has it", points=2, look_at="aud, by its type"
)
def right_aud(lab):
    def values(issuer):
        aud = issuer.policy["audience"]
        return [
            GONE, None, True, 5, "", [], {}, {aud: 1}, [[aud]], [aud, 5], [None, aud], [{"aud": aud}], f"{aud}x",
            f"x{aud}", f"{aud}-internal", aud[:-1], aud[0], [f"{aud}x"], [aud[:-1]], aud.upper(), f"{aud} other",
            f"other,{aud}", "*", ["*"],
        ]  # fmt: skip

    each_bad(lab, "aud", values)


@CLAIMS.probe("28 · sub is a text that is not empty", look_at="sub")
def right_sub(lab):
    each_bad(lab, "sub", lambda issuer: [GONE, None, "", True, False, 0, 5, 1.5, [], {}, ["ana"], {"ana": 1}])


@CLAIMS.probe(
    "29 · Times are JSON numbers up to 10^15: no text, no bool, no infinity", points=2, look_at="how you read a time"
)
def times_are_numbers(lab):
    issuer, cases = gate(lab), []
    for alg in issuer.keys:
        for name in ("exp", "iat", "nbf"):
            then = int(issuer.now) + (60 if name == "exp" else -60)
            whole = issuer.claims(**{name: then})
            texts = [
                "null", "true", "false", f'"{then}"', f'" {then}"', f'"{then}.0"', f"[{then}]", "{}", '""', '"now"',
                f'{{"value": {then}}}', "1e400", "-1e400", "1e16", "-1e16", "1" + "0" * 400, "-1" + "0" * 400,
                "1" + "0" * 4800, "NaN", "Infinity", "-Infinity",
            ]  # fmt: skip
            for text in texts:
                claims = json.dumps(whole).replace(f'"{name}": {then}', f'"{name}": {text}').encode()
                token = compact(issuer.header(alg), claims, issuer.keys[alg])
                cases.append(verifying(issuer, f"a token with {name} {text:.40}", token))
            if name != "nbf":
                cases.append(bad(issuer, f"a token without {name}", **{name: GONE}))
    ask(lab, "verify", cases)


@CLAIMS.probe(
    "30 · A token has ended when now >= exp + leeway", points=2, look_at="the comparison with exp, and what now is"
)
def ended(lab):
    cases = []
    for leeway in (0, lab.random.randrange(1, 90), lab.random.randrange(1, 90) + 0.5):
        issuer = gate(lab)
        issuer.policy["leeway"], now = leeway, issuer.now
        for ago in (0, 0.25, 1, lab.random.randrange(2, 10**6)):
            what = f"a token that ended {leeway + ago} s ago, with a leeway of {leeway} s,"
            cases.append(bad(issuer, what, exp=now - leeway - ago, iat=now - leeway - ago - 60))
        cases.append(bad(issuer, "a token with exp 0", exp=0, iat=0))
        cases.append(bad(issuer, "a token with exp -1", exp=-1, iat=-1))
        token = issuer.token()
        cases.append(verifying(issuer, "a token of an hour ago", token, now=now + 3600))
        cases.append(verifying(issuer, "a token that is good today, thirty years on,", token, now=now + 10**9))
    ask(lab, "verify", cases)


@CLAIMS.probe("31 · iat and nbf lie no further ahead than the leeway", look_at="iat and nbf")
def future(lab):
    cases = []
    for leeway in (0, lab.random.randrange(1, 90), lab.random.randrange(1, 90) + 0.5):
        issuer = gate(lab)
        issuer.policy["leeway"] = leeway
        for name in ("iat", "nbf"):
            for ahead in (0.25, 1, lab.random.randrange(2, 10**6)):
                then = issuer.now + leeway + ahead
                what = f"a token whose {name} lies {leeway + ahead} s ahead, with a leeway of {leeway} s,"
                cases.append(bad(issuer, what, **{name: then}, exp=then + 600))
    ask(lab, "verify", cases)


# ---- tier 4: at the counter -----------------------------------------------------------------------------------


def counter(lab):
    """The accounts service, with the learner's gate in it. `lab.issuer` is who issues tokens for it."""
    lab.issuer = Issuer(lab.random, lab.now, ALGORITHMS)
    books = Books(customers(lab.seed), FAST, clock=lambda: lab.now)
    return lab.guard(accounts(books, lambda token: _judged(lab, token)))


def _judged(lab, token):
    """What the learner's verify() says, in the words of labs.auth."""
    try:
        return lab.call("verify", token, lab.issuer.policy, lab.now)
    except LearnerError as error:
        if error.type != "Refused":
            raise
        raise TokenRefused(error.said or "The token was refused.") from None


COUNTER = tier(
    "29.4",
    "At the counter",
    15,
    "medium",
    "This tier asks nothing new: the tiers before it say which rule is missing. The exchange below a verdict shows "
    "the token; paste it into show.token().",
    "Whatever verify() raises besides Refused is a 500 here.",
    "verify() is given the policy with every call, and the policy changes when keys are rotated. Remember nothing.",
    mount=counter,
)


class Bearer:
    """Somebody at the counter: `person` holds a token, and uses it."""

    def __init__(self, lab: Lab, person: str, token: str) -> None:
        self._lab, self._visitor, self.token = lab, lab.visitor(person), token

    def _headers(self):
        return {"Authorization": f"Bearer {self.token}"}

    def owner(self) -> str:
        """Whose balance this token shows."""
        return self._visitor.ask("GET", "/balance", headers=self._headers())["owner"]

    def transfer(self, to: str, amount: int, **more: str) -> dict:
        """Move money."""
        order = {"to": to, "amount": amount} | more
        return self._visitor.ask("POST", "/transfer", json=order, headers=self._headers())


def token_for(lab, name, alg=None, header=None, **claims):
    """A token for a customer of the bank, as the issuer makes them today."""
    issuer = lab.issuer
    issuer.now = lab.now
    return issuer.token(alg, issuer.claims(sub=name, **claims), **(header or {}))


def served(lab, name, token, what):
    """Expect that the counter serves whoever holds this token, and nobody who holds a spoilt one like it."""
    alg = json.loads(base64url.decode(token.split(".")[0]))["alg"]
    told, other = spoilt(lab, what, token_for(lab, name, alg))
    spoilt_first = lab.random.random() < 0.5
    for turn in (spoilt_first, not spoilt_first):
        if turn:
            lab.refused(Bearer(lab, name, other).owner, f"{told} is answered 401")
        else:
            owner = Bearer(lab, name, token).owner()
            lab.expect(owner == name, f"{what} shows {name} their own account", f"it was {owner}'s", lab.last)


def turned_away(lab, what, token):
    """Expect that Mallory, with this token, neither sees Ana's account nor moves her money."""
    mallory = Bearer(lab, "mallory", token)
    lab.refused(mallory.owner, f"{what} is answered 401")
    lab.refused(lambda: mallory.transfer("mallory", 1, **{"from": "ana"}), f"{what} moves nobody's money")


def nothing_lost(lab):
    """Expect that the bank's record holds no loss of Ana's or Ben's."""
    for name in ("ana", "ben"):
        lab.safe(name, f"nobody but {name} reads or moves what is {name}'s")


@COUNTER.customer(
    "32 · Customers see their accounts and move their money", points=2, look_at="the answer's WWW-Authenticate"
)
def customers_served(lab):
    assert lab.site
    for alg in ALGORITHMS:
        for name in ("ana", "ben"):
            served(lab, name, token_for(lab, name, alg), f"a token of {alg}")
        ana = Bearer(lab, "ana", token_for(lab, "ana", alg))
        moved = ana.transfer("ben", lab.random.randrange(1, 50))
        lab.expect(
            moved["from"] == "ana" and moved["to"] == "ben", "Ana sends Ben money", f"it was {moved}", lab.last
        )
        lab.skip(minutes=5)
        served(
            lab, "ana", token_for(lab, "ana", alg, aud=["statements", lab.issuer.policy["audience"]]), "a later token"
        )
    nothing_lost(lab)


@COUNTER.customer("33 · While keys are rotated, nobody is sent away", look_at="what you keep between two calls")
def rotation(lab):
    assert lab.site
    issuer = lab.issuer
    for alg in ALGORITHMS:
        old = token_for(lab, "ana", alg, exp=int(lab.now) + 900)
        served(lab, "ana", old, "a token of the old key")
        issuer.keys[alg] = Mint(lab.random).key(alg)
        issuer.policy["keys"].append(jwk(issuer.keys[alg]))
        served(lab, "ben", token_for(lab, "ben", alg), "a token of the new key")
        served(lab, "ana", old, "a token of the old key, beside the new one,")


@COUNTER.probe("34 · Forged tokens move no money", points=3, look_at="the token in the exchange: who signed it?")
def forged(lab):
    assert lab.site
    for what, token in forgeries(lab.issuer):
        turned_away(lab, what, token)
    nothing_lost(lab)


@COUNTER.probe("35 · Nor do honest tokens with something changed", points=2, look_at="what the signature is of")
def edited(lab):
    assert lab.site
    for alg in ALGORITHMS:
        token, anas = token_for(lab, "mallory", alg), token_for(lab, "ana", alg)
        served(lab, "mallory", token, "Mallory's own token")
        served(lab, "ana", anas, "Ana's token")
        header, payload, signature = token.split(".")
        claims = json.loads(base64url.decode(payload))
        for more in ({"sub": "ana"}, {"roles": ["teller"]}, {"sub": "ana", "exp": claims["exp"] + 10**6}):
            text = base64url.encode(json.dumps(claims | more).encode())
            turned_away(lab, f"Mallory's own token with {more} written into it", f"{header}.{text}.{signature}")
        spliced = f"{header}.{anas.split('.')[1]}.{signature}"
        turned_away(lab, "the claims of Ana's token under the signature of Mallory's", spliced)
        turned_away(lab, "Ana's token without its signature, as a log may hold it,", anas.rpartition(".")[0] + ".")
    nothing_lost(lab)


@COUNTER.probe("36 · Nor do tokens for something else", points=2, look_at="typ, aud, iss: what the token is for")
def other_purpose(lab):
    assert lab.site
    issuer = lab.issuer
    for alg in ALGORITHMS:
        aud = issuer.policy["audience"]
        turned_away(lab, "Ana's ID token", token_for(lab, "ana", alg, {"typ": "JWT"}))
        turned_away(lab, "a token for another service", token_for(lab, "ana", alg, aud=f"{aud}-backup"))
        turned_away(lab, "another issuer's token", token_for(lab, "ana", alg, iss="https://id.mallory.example"))
        turned_away(lab, "a token that never ends", token_for(lab, "ana", alg, exp=GONE))
        turned_away(lab, "a token that is for nobody", token_for(lab, "ana", alg, aud=GONE))
    nothing_lost(lab)


@COUNTER.probe(
    "37 · What has ended has ended: the token by its time, its key by its removal", look_at="what you keep"
)
def over(lab):
    assert lab.site
    issuer = lab.issuer
    for alg in ALGORITHMS:
        token = token_for(lab, "ana", alg, exp=int(lab.now) + 600)
        served(lab, "ana", token, "a token that lasts ten minutes")
        lab.skip(seconds=int(lab.now) + 600 + issuer.policy["leeway"] - lab.now)
        turned_away(lab, "a token that Mallory found when it had ended", token)
        token, kid = token_for(lab, "ana", alg), issuer.keys[alg].kid
        served(lab, "ana", token, "a token whose key is in the policy")
        issuer.policy["keys"] = [one for one in issuer.policy["keys"] if one["kid"] != kid]
        turned_away(lab, "a token whose key was removed", token)
    nothing_lost(lab)


@COUNTER.probe(
    "38 · Malformed tokens are answered 401, and never 500", points=2, look_at="line by line, what may raise"
)
def never_500(lab):
    assert lab.site
    nobody = lab.visitor("mallory")
    for what, token in malformed(lab.issuer, 80):
        if not (token.isascii() and token.isprintable()):
            continue  # a header cannot carry it
        response = nobody.send("GET", "/balance", headers={"Authorization": f"Bearer {token}"})
        lab.expect(response.status == 401, f"{what} is answered 401", lab.answered(response), lab.last)
    served(lab, "ana", token_for(lab, "ana"), "an honest token after them")
    nothing_lost(lab)
