"""What may arrive at a server, for hypothesis, and how to send it byte by byte, so that nothing is corrected on the
way as a client library would."""

import http.client
import json
import socket
from types import SimpleNamespace

from hypothesis import strategies as st

PATIENCE = 15  # seconds; the bench ends a silent request after 10, so whoever waits longer would wait for ever
NAMES = ["ana", "ben", "mallory"]


def send(site, raw: bytes, half_close: bool = False) -> SimpleNamespace:
    """Send these bytes and give the answer; TimeoutError when the server hangs."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE) as connection:
        connection.sendall(raw)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(connection, method=raw.split(b" ", 1)[0].decode("latin-1"))
        answer.begin()
        return SimpleNamespace(status=answer.status, headers=answer.headers, body=answer.read())


def request(
    site, method: bytes, target: bytes, headers: list[tuple[bytes, bytes]] = (), body: bytes = b"", **options
):
    """Send a request of these parts."""
    lines = [b"%s %s HTTP/1.1" % (method, target), b"Host: app.fernbank.localhost:%d" % site.port]
    lines += [b"%s: %s" % header for header in headers]
    if body:
        lines.append(b"Content-Length: %d" % len(body))
    return send(site, b"\r\n".join(lines) + b"\r\n\r\n" + body, **options)


def rules_of(app) -> list[tuple[str, str]]:
    """Every address of an app with each of its methods."""
    return sorted((rule.rule, method) for rule in app.url_map.iter_rules() for method in rule.methods - {"OPTIONS"})


octets = st.binary(max_size=60)
lines = octets.map(lambda raw: bytes(byte for byte in raw if byte not in b"\r\n\0"))
accepts = st.sampled_from(
    [b"text/html", b"application/json", b"*/*", b"text/html;q=x", b";;,", b"text/html;q=1e999", b"\xff"]
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(), max_size=40),
    st.sampled_from([*NAMES, 1, 0, -1, 1_001, 10**9, 10**400, "", "1", "a" * 600]),
)  # fmt: skip
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
types = st.one_of(
    st.sampled_from([
        b"application/json", b"application/x-www-form-urlencoded", b"text/plain", b"application/json; charset=utf-16",
        b"multipart/form-data; boundary=x", b"multipart/form-data", b"application/json; =;;", b"application",
    ]),
    lines,
)  # fmt: skip
methods = st.sampled_from(
    [b"GET", b"POST", b"HEAD", b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"TRACE", b"FOO", b"get"]
)


def bodies_with(names: list[str]) -> st.SearchStrategy[bytes]:
    """Bodies: noise, JSON and forms, with fields of these names, or far too much of something."""
    fields = st.sampled_from(names)
    return st.one_of(
        octets,
        values.map(lambda value: json.dumps(value).encode()),
        st.dictionaries(fields, values, max_size=4).map(lambda value: json.dumps(value).encode()),
        st.lists(st.tuples(fields, st.text(max_size=9)), max_size=4).map(
            lambda pairs: "&".join(f"{name}={value}" for name, value in pairs).encode("utf-8", "surrogatepass")
        ),
        st.sampled_from(
            [b"[" * 9_000, b'{"amount":' * 900 + b"1" + b"}" * 900, b"1" * 9_000, b" " * 17_000, b"&" * 9_000]
        ),
    )


def targets_of(paths: list[str]) -> st.SearchStrategy[bytes]:
    """Request targets: these paths, these with something behind them, and others."""
    known = st.sampled_from(paths).map(str.encode)
    return st.one_of(
        known,
        st.tuples(known, lines).map(b"".join),
        st.tuples(known, st.just(b"?"), lines).map(b"".join),
        lines.map(lambda raw: b"/" + raw),
        st.sampled_from([
            b"/%", b"/%ff", b"/%00", b"//", b"/./balance", b"*", b"balance", b"/balance?__Host-sid=x",
            b"/" + b"a" * 70_000,
        ]),
    )  # fmt: skip
