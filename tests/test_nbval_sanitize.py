"""What nbval does not compare: exactly the opaque ids, tokens, ports and dates, and nothing that a lesson teaches."""

import json
import re
import secrets
import time
import uuid
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from nbval.plugin import get_sanitize_patterns
from werkzeug.http import http_date

FILE = Path(__file__).with_name("nbval_sanitize.cfg")
PATTERNS = get_sanitize_patterns(FILE.read_text("utf-8"))


def sanitized(text: str) -> str:
    for pattern, replacement in PATTERNS:
        text = re.sub(pattern, replacement, text)
    return text


def argon2_hash(word: str) -> str:
    return PasswordHasher(memory_cost=8, time_cost=1, parallelism=1).hash(word)


def test_nbval_reads_every_pattern():
    assert len(PATTERNS) == FILE.read_text("utf-8").count("regex:") == 9


@pytest.mark.parametrize(
    ("make", "seen"),
    [
        (lambda: f"Cookie: sid={secrets.token_urlsafe(32)}", "Cookie: sid=AN-ID"),
        (lambda: f"__Host-sid={secrets.token_urlsafe(32)}; Path=/", "__Host-sid=AN-ID; Path=/"),
        (lambda: f"<mark>{secrets.token_urlsafe(32)}</mark>", "<mark>AN-ID</mark>"),
        (lambda: f"session:{sha256(secrets.token_bytes()).hexdigest()}", "session:AN-ID"),
        (lambda: f"id {secrets.token_hex(16)}", "id AN-ID"),
        (lambda: f"jti {uuid.uuid4()}", "jti AN-ID"),
        (lambda: f"eyJhbGciOiJIUzI1NiJ9.{secrets.token_urlsafe(20)}.{secrets.token_urlsafe(32)}", "A-TOKEN"),
        (lambda: f'jti       "{secrets.token_urlsafe(16)}"  its own name', 'jti       "AN-ID"  its own name'),
        (lambda: f'"jti": "{secrets.token_urlsafe(16)}", "n": 1', '"jti": "AN-ID", "n": 1'),
        (lambda: f'<th scope="row">jti</th><td>&#34;{secrets.token_urlsafe(16)}&#34;</td>',
         '<th scope="row">jti</th><td>&#34;AN-ID&#34;</td>'),
        (lambda: f"kid es256-{secrets.token_hex(4)}", "kid es256-AN-ID"),
        (lambda: f"http://app.fernbank.localhost:{40000 + secrets.randbelow(9999)}/login",
         "http://app.fernbank.localhost:PORT/login"),
        (lambda: f"Host: 127.0.0.1:{40000 + secrets.randbelow(9999)}", "Host: 127.0.0.1:PORT"),
        (lambda: f"Date: {http_date(time.time() - secrets.randbelow(10**8))}", "Date: A-DATE"),
        (lambda: f"at {datetime.now(UTC).isoformat()}", "at A-DATE"),
        (lambda: f'"created_at": {time.time()}, "n": 1', '"created_at": A-DATE, "n": 1'),
        (lambda: json.dumps({"exp": int(time.time())}), '{"exp": A-DATE}'),
        (lambda: argon2_hash(secrets.token_hex()), "$argon2id$v=19$m=8,t=1,p=1$A-HASH"),
    ],
)  # fmt: skip
def test_what_is_drawn_at_random_does_not_matter(make, seen):
    for _ in range(200 if "argon2" not in seen else 5):
        assert sanitized(make()) == seen


@pytest.mark.parametrize(
    "taught",
    [
        '{"owner": "ana", "balance": 1280}',
        "mallory read ana's balance",
        "my locker code is 4821-KESTREL",
        "HTTP/1.1 401 UNAUTHORIZED",
        "Content-Length: 1234567890",
        "43 characters, 256 bits, 10,000 ids, all different",
        "at 8 h 12 min GET /balance still answered 200",
        "Set-Cookie: sid=fern-1234; HttpOnly; Secure; SameSite=Lax; Max-Age=28800",
        "id 00000042 can be guessed in 2**26 tries",
        "10.4 · Two timeouts   2 of 4 points",
        "2.5 round trips, 0.4 ms, 99.95 %",
        "RFC 6265bis 5.8.3, ASVS 7.3.2, CVE-2015-9235",
        "the idle timeout is 1800 s and the absolute one 28800 s",
        "a year has 1,000,000 visits and 1999 of them fail",
        "2026-11-24",
        "HS256, RS256, ES256 and EdDSA; kid es256-2026",
        'jti "token-1", aud "statements-of-fernbank"',
    ],
)
def test_what_a_lesson_teaches_is_compared(taught):
    assert sanitized(taught) == taught
