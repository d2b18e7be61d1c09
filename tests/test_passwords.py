"""Passwords: argon2id, and no hint of who has an account."""

import argon2
import pytest

from labs.auth.passwords import dummy_hash, hasher, verify


@pytest.fixture
def fast():
    return hasher(fast=True)


@pytest.fixture
def work(monkeypatch):
    """Record the parameters of each verification that argon2 is asked for; time is not measured."""
    done = []
    verify_secret = argon2.low_level.verify_secret

    def recorded(hash, secret, type):
        done.append(argon2.extract_parameters(hash.decode()))
        return verify_secret(hash, secret, type)

    monkeypatch.setattr("argon2._password_hasher.verify_secret", recorded)
    return done


def test_the_right_one_and_no_other(fast):
    hash = fast.hash("correct horse")
    assert verify(fast, hash, "correct horse") is True
    for wrong in ["", "correct horse ", "Correct horse", "correct", "correct horse\x00"]:
        assert verify(fast, hash, wrong) is False


@pytest.mark.parametrize("password", ["", "é🌿", "nul\x00byte", "x" * 10_000])
def test_any_password_is_taken_as_it_is(fast, password):
    assert verify(fast, fast.hash(password), password) is True
    assert verify(fast, fast.hash(password), password + "x") is False


def test_half_a_character_is_no_password(fast):
    assert verify(fast, fast.hash("x"), "\ud800") is False
    assert verify(fast, None, "\ud800") is False


def test_two_hashes_of_a_password_differ(fast):
    assert fast.hash("x") != fast.hash("x")


def test_the_parameters_are_the_librarys():
    parameters = argon2.extract_parameters(hasher().hash("x"))
    assert parameters == argon2.profiles.RFC_9106_LOW_MEMORY
    assert (parameters.type, parameters.memory_cost) == (argon2.Type.ID, 64 * 1024)


def test_a_lab_banks_parameters_are_minimal(fast):
    parameters = argon2.extract_parameters(fast.hash("x"))
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (8, 1, 1)


def test_an_unknown_user_costs_the_same_work(fast, work):
    for some in (
        fast,
        argon2.PasswordHasher(memory_cost=64, time_cost=2, parallelism=2, hash_len=20, salt_len=24),
    ):
        work.clear()
        known, unknown = verify(some, some.hash("x"), "wrong"), verify(some, None, "wrong")
        assert (known, unknown) == (False, False)
        assert work[0] == work[1], "the same parameters, verified once each"
        assert len(work) == 2


def test_no_password_fits_the_dummy(fast):
    dummy = dummy_hash(fast)
    assert dummy != dummy_hash(fast)
    assert not fast.check_needs_rehash(dummy), "it looks like any hash of this site"
    assert verify(fast, dummy, "") is False


def test_a_damaged_hash_is_said(fast):
    with pytest.raises(argon2.exceptions.InvalidHashError):
        verify(fast, "plain text", "plain text")


def test_an_empty_hash_is_damaged_and_no_unknown_user(fast):
    with pytest.raises(argon2.exceptions.InvalidHashError):
        verify(fast, "", "x")


def test_raised_parameters_are_noticed(fast):
    assert hasher().check_needs_rehash(fast.hash("x"))
