"""Lesson 33's exercises: right answers, however written, pass; plausible wrong ones fail the probes that should."""

import pytest

from labs.exercises import judge
from labs.exercises.ex33 import HARMLESS, REQUESTS, requests_of

# ---- 33.1 ----------------------------------------------------------------------------------------------------

SEED = "fern"
MINE = [row["request"] for row in requests_of(SEED)]
RIGHT = {name: sorted(REQUESTS[name][1]) for name in MINE}
PROBES = ["Your first request", "Your second request", "Your third request", "Your fourth request"]


def predicted(answer):
    report = judge("33.1", answer=answer, seed=SEED)
    return {one.probe: one.happened for one in report.verdicts if not one.passed}


def test_what_goes_along_gets_full_points():
    assert judge("33.1", answer=RIGHT, seed=SEED).passed
    assert predicted({name: [*reversed(sent)] for name, sent in RIGHT.items()} | {"more": ["lax"]}) == {}
    source = f"def sent():\n    return {RIGHT!r}"
    assert judge("33.1", source, seed=SEED).passed


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize(
    "sent",
    [["unset"], ["lax", "strict"], ["unset", "lax", "strict"], ["strict"], ["unset", "none"]],
)
def test_another_set_is_refused_by_its_own_probe_only(number, sent):
    found = predicted(RIGHT | {MINE[number]: sent})
    assert set(found) == {PROBES[number]}
    assert f"your answer names {len(sent)} of the four" in found[PROBES[number]]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({}, "the dict has nothing"),
        ([], "the dict has nothing"),
        (7, "the dict has nothing"),
        (dict.fromkeys(MINE, "lax"), "there is ['lax']"),
        (dict.fromkeys(MINE), "there is [None]"),
        (dict.fromkeys(MINE, ["Lax"]), "there is ['Lax']"),
        (dict.fromkeys(MINE, [["lax"]]), "there is [['lax']]"),
    ],
)
def test_what_is_no_answer_is_said(answer, words):
    found = predicted(answer)
    assert list(found) == PROBES
    assert all(words in happened for happened in found.values())


@pytest.mark.parametrize("answer", [["unset", "lax", "strict", "none"], ["none"], [], ["unset", "lax", "none"]])
def test_one_answer_for_all_gets_half_at_most(answer):
    for seed in range(40):
        given = {row["request"]: answer for row in requests_of(str(seed))}
        assert judge("33.1", answer=given, seed=str(seed)).points <= 2


def test_every_learner_has_four_kinds_and_one_is_their_own():
    seen = set()
    for seed in range(200):
        names = [row["request"] for row in requests_of(str(seed))]
        assert sum(name in HARMLESS for name in names) == 1
        assert len(set(names)) == 4
        assert len({tuple(sorted(REQUESTS[n][1])) for n in names if n not in HARMLESS}) == 3
        seen |= set(names)
    assert seen == set(REQUESTS)


# ---- 33.2 ----------------------------------------------------------------------------------------------------

WORKS, GOES, PROGRAM = (
    "The page at app logs in, reads and pays at api",
    "Two customers come and go, each as themselves",
    "A program, which sends no Origin, is served",
)
INJECTED, OUT = "A script that got into the page does not run", "The page takes nothing to other hosts"
READ, HOSTS = "No script reads the id", "The id goes to api, and to no other host"
TOSSED = "Another host cannot put its own id in this one's place"
CROSS, FOREIGN = "A request that another site causes carries no id", "No other page reads what api says, or pays"
VARY = "A cache does not give one origin's answer to another"

HEADERS = """
def headers(route, origin, id, app, api):
    method, host, path = route.split()
    if host == "app":
        return {"Content-Security-Policy": f"default-src 'self'; connect-src {api}; form-action 'none'"}
    found = {"Vary": "Origin"}
    if origin == app:
        found["Access-Control-Allow-Origin"] = origin
        found["Access-Control-Allow-Credentials"] = "true"
        found["Access-Control-Allow-Headers"] = "Content-Type"
    if id is not None:
        found["Set-Cookie"] = f"__Host-sid={id}; Path=/; Secure; HttpOnly; SameSite=Strict"
    return found
"""
CORS = "if origin == app:"
POLICY = "default-src 'self'; connect-src {api}; form-action 'none'"
COOKIE = "__Host-sid={id}; Path=/; Secure; HttpOnly; SameSite=Strict"
HEADERS_RIGHT = {
    "route by route": """
def headers(route, origin, id, app, api):
    policy = ["default-src 'none'", "script-src 'self'", "img-src 'self'", f"connect-src {api}",
              "form-action 'none'", "base-uri 'none'", "frame-ancestors 'none'"]
    match route.split():
        case [_, "app", _]:
            return {"content-security-policy": "; ".join(policy)}
        case ["OPTIONS", "api", _] if origin in {app}:
            return {"access-control-allow-origin": app, "access-control-allow-credentials": "true", "vary": "Origin",
                    "access-control-allow-methods": "GET, POST", "access-control-allow-headers": "content-type",
                    "access-control-max-age": "600"}
        case ["POST", "api", _] if id:
            return {"Set-Cookie": f"__Host-Http-session={id}; SameSite=Lax; httponly; path=/; secure", "Vary": "*",
                    **({"Access-Control-Allow-Origin": app, "Access-Control-Allow-Credentials": "true"}
                       if origin == app else {})}
    cors = {"Access-Control-Allow-Origin": app, "Access-Control-Allow-Credentials": "true"} if origin == app else {}
    return {"Vary": "Accept, Origin", **cors}
""",
    "always the same origin, whoever asks": (
        """    if origin == app:
        found["Access-Control-Allow-Origin"] = origin
        found["Access-Control-Allow-Credentials"] = "true"
        found["Access-Control-Allow-Headers"] = "Content-Type"
""",
        """    found |= {"Access-Control-Allow-Origin": app, "Access-Control-Allow-Credentials": "true"}
    found["Access-Control-Allow-Headers"] = "Content-Type"
""",
    ),
    "a nonce that is new each time": (
        [
            ("def headers(", "import secrets\n\ndef headers("),
            (POLICY, "default-src 'self'; script-src 'self' 'nonce-{secrets.token_urlsafe(16)}'; connect-src {api}; "
             "form-action 'self'"),
        ]
    ),
    "a hash beside": (
        POLICY, "default-src 'self'; script-src 'self' 'sha256-AAAA'; connect-src {api}; form-action 'self'",
    ),
}
HEADERS_WRONG = {
    "nothing": ("def headers(route, origin, id, app, api):\n    return {}", {
        WORKS: "is missing", GOES: "is missing", PROGRAM: "answered 401"}),
    "any origin": (CORS, "if origin:", {FOREIGN: "http://evil.fernbank.localhost"}),
    "whatever begins with app": (CORS, "if origin and origin.startswith(app):", {FOREIGN: "1 may read"}),
    "whatever ends with the site": (
        CORS, "if origin and origin.endswith(app.partition('app.')[2]):", {FOREIGN: "http://evil.fernbank"},
    ),
    "whatever contains app's name": (
        CORS, "if origin and 'app.fernbank.localhost' in origin:", {FOREIGN: "may read"},
    ),
    "a dot that is any letter": (
        CORS, "import re\n    if origin and re.fullmatch(app, origin):", {FOREIGN: "http://appxfernbank.localhost"},
    ),
    "null as well": (CORS, "if origin in (app, 'null'):", {FOREIGN: "a page of null may read"}),
    "the port does not matter": (
        CORS, "if origin and origin.split(':')[:2] == app.split(':')[:2]:", {FOREIGN: "may read"},
    ),
    "the scheme does not matter": (
        CORS, "if origin and origin.split('//')[-1] == app.split('//')[1]:", {FOREIGN: "https://app"},
    ),
    "anybody, with a star": ('= origin', '= "*"', {WORKS: "Access-Control-Allow-Origin is *", GOES: "is *"}),
    "no credentials": ('"true"', '"false"', {WORKS: "Credentials is false", GOES: "Credentials is false"}),
    "no JSON": (
        '        found["Access-Control-Allow-Headers"] = "Content-Type"\n', "",
        {WORKS: "no Content-Type header", GOES: "no Content-Type header"},
    ),
    "JSON only at /login": (
        '        found["Access-Control-Allow-Headers"]',
        '        if path == "/login":\n            found["Access-Control-Allow-Headers"]',
        {WORKS: "no Content-Type header", GOES: "no Content-Type header"},
    ),
    "an Origin is always there": (CORS, "if origin.lower() == app:", {PROGRAM: "your headers raised AttributeError"}),
    "no Vary": ('{"Vary": "Origin"}', "{}", {VARY: "to http://app.fernbank.localhost"}),
    "Vary only for app": (
        [('{"Vary": "Origin"}', "{}"), (CORS, CORS + '\n        found["Vary"] = "Origin"')],
        {VARY: "mallory.localhost"},
    ),
    "Vary where it was tried": (
        '{"Vary": "Origin"}', '{"Vary": "Origin"} if path == "/health" else {}', {VARY: "at GET /balance"},
    ),
    "no Vary at the preflight": (
        '{"Vary": "Origin"}', '{"Vary": "Origin"} if method != "OPTIONS" else {}', {VARY: "at OPTIONS /transfer"},
    ),
    "no Vary beside the cookie": ("    return found", '    if id:\n        found.pop("Vary")\n    return found', {
        VARY: "at POST /login"}),
    "the notes are for all": (CORS, 'if origin == app or origin and path == "/notes":', {FOREIGN: "GET /notes"}),
    "errors are for all": (CORS, 'if origin == app or origin and path == "/nowhere":', {FOREIGN: "GET /nowhere"}),
    "anybody may send JSON, but no money": (
        "    return found",
        '    if origin and method == "OPTIONS" and path != "/transfer":\n'
        '        found |= {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true",\n'
        '                  "Access-Control-Allow-Headers": "Content-Type"}\n    return found',
        {FOREIGN: "sent JSON to /"},
    ),
    "anybody without cookies may send JSON": (
        "    return found",
        '    if origin != app and method == "OPTIONS":\n'
        '        found |= {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}\n'
        "    return found",
        {FOREIGN: "sent JSON to /transfer"},
    ),
    "the id in a header that script may read": (
        "    return found",
        '    if id:\n        found |= {"X-Id": id, "Access-Control-Expose-Headers": "X-Id"}\n    return found',
        {READ: "it stood in X-Id"},
    ),
    "scripts of api, too": (POLICY, "default-src 'self' {api}; form-action 'none'", {
        INJECTED: "<script src=http://api.fernbank.localhost"}),
    "always the same nonce": (
        POLICY, "default-src 'self'; script-src 'self' 'nonce-fern'; connect-src {api}; form-action 'none'",
        {INJECTED: "<script nonce=fern>"},
    ),
    "scripts made by scripts": (
        POLICY, "default-src 'self'; script-src 'self' blob:; connect-src {api}; form-action 'none'",
        {INJECTED: "<script src=blob:"},
    ),
    "to hosts below api": (
        POLICY, "default-src 'self'; connect-src {api} *.api.fernbank.localhost:*; form-action 'none'",
        {OUT: "http://x.api.fernbank.localhost"},
    ),
    "the id on every answer": (
        "    if id is not None:\n        found", "    if True:\n        found",
        {WORKS: "answered 401", GOES: "answered 401"},
    ),
    "a cookie at each log-in, refused ones too": (
        "    if id is not None:\n        found", '    if route == "POST api /login":\n        found',
        {GOES: "answered 401"},
    ),
    "no cookie for the id that comes with the password": (
        "    if id is not None:\n        found", '    if id and path == "/login":\n        found',
        {GOES: "POST /transfer answered 401"},
    ),
    "careful with the first page only": (
        [
            ("def headers(", "seen = []\n\ndef headers("),
            ('    if host == "app":\n', '    if host == "app":\n        seen.append(route)\n'
             '        if seen.count("GET app /") > 1:\n            return {}\n'),
        ],
        {INJECTED: "ran", OUT: "it may go to"},
    ),
    "no policy": (POLICY, "", {INJECTED: "<script>...</script> ran", OUT: "it may go to"}),
    "inline is allowed": (POLICY, "default-src 'self' 'unsafe-inline'; connect-src {api}; form-action 'none'", {
        INJECTED: "the bank's record: ana moved"}),
    "handlers are allowed": (POLICY, POLICY + "; script-src-attr 'unsafe-inline'", {INJECTED: "onerror"}),
    "scripts of the whole site": (
        POLICY, "default-src 'self'; script-src 'self' *.fernbank.localhost:*; connect-src {api}; form-action 'none'",
        {INJECTED: "evil.fernbank.localhost"},
    ),
    "scripts by http": (POLICY, "default-src 'self'; script-src http:; connect-src {api}; form-action 'none'", {
        INJECTED: "<script src=http://mallory.localhost"}),
    "scripts only": (POLICY, "script-src 'self'", {OUT: "it may go to http://mallory.localhost"}),
    "connect to all": (POLICY, "default-src 'self'; connect-src *; form-action 'none'", {OUT: "it may go to"}),
    "images from all": (POLICY, POLICY + "; img-src *", {OUT: "it may go to"}),
    "forms to all": (POLICY, "default-src 'self'; connect-src {api}", {OUT: "it may go to"}),
    "connect to the site": (POLICY, "default-src 'self'; connect-src *.fernbank.localhost:*; form-action 'none'", {
        OUT: "evil.fernbank.localhost"}),
    "api is forgotten": (POLICY, "default-src 'self'; form-action 'none'", {
        WORKS: "Content-Security-Policy", GOES: "Content-Security-Policy"}),
    "its own script is forgotten": (
        POLICY, "default-src 'none'; img-src 'self'; connect-src {api}; form-action 'none'",
        {WORKS: "policy stops it"},
    ),
    "its own image is forgotten": (
        POLICY, "default-src 'none'; script-src 'self'; connect-src {api}; form-action 'none'",
        {WORKS: "policy stops it"},
    ),
    "reported only": ("Content-Security-Policy", "Content-Security-Policy-Report-Only", {
        INJECTED: "ran", OUT: "it may go to"}),
    "script may read it": ("HttpOnly; ", "", {READ: "at http://api.fernbank.localhost"}),
    "for the whole site": (COOKIE, "sid={id}; Domain=fernbank.localhost; Path=/; Secure; HttpOnly; SameSite=Strict", {
        HOSTS: "evil.fernbank.localhost got it", TOSSED: "it showed mallory's"}),
    "a plain name": ("__Host-sid", "sid", {TOSSED: "it showed mallory's"}),
    "__Secure- is not enough": ("__Host-sid", "__Secure-sid", {TOSSED: "it showed mallory's"}),
    "__Host- with a Domain": (COOKIE, COOKIE + "; Domain=fernbank.localhost", {
        WORKS: "the browser refused the cookie", GOES: "the browser refused the cookie", PROGRAM: "answered 401"}),
    "SameSite=None": ("SameSite=Strict", "SameSite=None", {CROSS: "a form by POST on mallory.localhost"}),
    "SameSite is not said": ("; SameSite=Strict", "", {CROSS: "a form by POST on mallory.localhost"}),
    "header lists": ('return found', 'return list(found.items())', {
        WORKS: "it should return a dict", GOES: "it should return a dict", PROGRAM: "it should return a dict"}),
    "a line break": ('"Origin"}', '"Origin\\r\\nX: y"}', {
        WORKS: "which is no header", GOES: "which is no header", PROGRAM: "which is no header"}),
}  # fmt: skip
HEADERS_WRONG = {
    name: (one[0], one[1]) if len(one) == 2 else ((one[0], one[1]), one[2]) for name, one in HEADERS_WRONG.items()
}

# --------------------------------------------------------------------------------------------------------------

TABLE = {"33.2": (HEADERS, HEADERS_RIGHT, HEADERS_WRONG)}
