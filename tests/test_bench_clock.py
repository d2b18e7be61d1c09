"""Skipped time reaches libraries unmodified, keeps ticking, and never goes back but by reset."""

import time
from datetime import UTC, datetime

import flask
import jwt
import pytest
from itsdangerous import SignatureExpired, TimestampSigner

from conftest import eventually
from labs.bench import BenchError, serve, skip


def test_time_and_datetime_move_together():
    before = time.time()
    skip(hours=9)
    assert 9 * 3600 <= time.time() - before < 9 * 3600 + 60
    assert abs(datetime.now(UTC).timestamp() - time.time()) < 60


def test_steps_add_up():
    before = time.time()
    skip(days=1)
    skip(hours=1)
    skip(minutes=1, seconds=1)
    assert 90061 <= time.time() - before < 90061 + 60


def test_the_clock_keeps_ticking():
    skip(minutes=1)
    first = time.time_ns()
    assert eventually(lambda: time.time_ns() > first)


def test_pyjwt_sees_it():
    key = "a key of thirty-two bytes or more"
    token = jwt.encode({"exp": time.time() + 900}, key)
    skip(minutes=14)
    assert jwt.decode(token, key, algorithms=["HS256"])
    skip(minutes=2)
    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(token, key, algorithms=["HS256"])


def test_flask_sees_it():
    app = flask.Flask("bank")
    app.secret_key = "any"
    app.add_url_rule("/", view_func=lambda: str(time.time()))
    with serve(app) as site:
        before = float(site.visitor().get("/").text)
        skip(hours=2)
        assert float(site.visitor().get("/").text) - before >= 7200
        assert site.log[1].at - site.log[0].at >= 7200
    signer = TimestampSigner("any")
    signed = signer.sign("x")
    skip(hours=1)
    with pytest.raises(SignatureExpired):
        signer.unsign(signed, max_age=3599)


@pytest.mark.parametrize(
    "step", [{"minutes": -1}, {"hours": 1, "minutes": -61}, {"days": 4000}, {"seconds": float("nan")}]
)
def test_it_never_goes_back(step):
    skip(minutes=5)
    before = time.time()
    with pytest.raises(BenchError, match=r"forward only.*skip\.reset\(\)"):
        skip(**step)
    assert 0 <= time.time() - before < 60


def test_reset_returns_to_the_real_time():
    real = time.clock_gettime_ns(time.CLOCK_MONOTONIC), time.time()
    skip(days=30)
    skip.reset()
    skip.reset()
    elapsed = (time.clock_gettime_ns(time.CLOCK_MONOTONIC) - real[0]) / 1e9
    assert abs(time.time() - real[1] - elapsed) < 60
    skip(seconds=1)
    assert time.time() - real[1] < 60


def test_the_monotonic_clock_stays():
    """Timeouts of sockets, of event loops and of Playwright must not fire because a lesson skipped."""
    before = time.monotonic()
    skip(days=1)
    assert time.monotonic() - before < 60
