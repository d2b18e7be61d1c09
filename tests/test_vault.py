"""A token at rest: sealed, whole, private, and readable only with the key."""

import base64
import os
import stat

import keyring
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.errors import KeyringLocked, PasswordDeleteError

from labs.auth.vault import CannotOpen, Vault, platform_keystore, seal, unseal

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
TOKEN = "nGq0-a-refresh-token-of-ana_0123456789ABCDEF"


@given(st.text())
def test_what_was_sealed_comes_back(token):
    assert unseal(seal(token, KEY), KEY) == token


def test_two_seals_of_one_token_have_nothing_in_common():
    one, other = (seal(TOKEN * 10, KEY) for _ in range(2))
    assert sum(a == b for a, b in zip(one, other, strict=True)) < 20


def test_every_single_bit_counts():
    sealed = seal(TOKEN, KEY)
    for n in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[n // 8] ^= 1 << n % 8
        with pytest.raises(CannotOpen):
            unseal(bytes(changed), KEY)


@pytest.mark.parametrize("change", [lambda s: s[:-1], lambda s: s + b"\0", lambda s: b"", lambda s: s[12:]])
def test_a_part_or_more_is_refused(change):
    with pytest.raises(CannotOpen):
        unseal(change(seal(TOKEN, KEY)), KEY)


def test_another_key_is_refused():
    with pytest.raises(CannotOpen, match="another key"):
        unseal(seal(TOKEN, KEY), OTHER)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_has_32_bytes(length):
    with pytest.raises(ValueError, match="32 bytes"):
        seal(TOKEN, bytes(length))


@given(st.binary(max_size=200))
def test_whatever_is_opened_it_is_one_error(sealed):
    with pytest.raises(CannotOpen):
        unseal(sealed, KEY)


class TestFile:
    @pytest.fixture
    def path(self, tmp_path):
        return tmp_path / "ana's token"

    def test_it_is_there_after_a_restart(self, path):
        Vault(path, "fern").keep(TOKEN)
        assert Vault(path, "fern").token() == TOKEN

    def test_it_cannot_be_read_in_the_file(self, path):
        Vault(path, "fern").keep(TOKEN)
        kept = path.read_bytes()
        for form in (TOKEN.encode(), base64.b64encode(TOKEN.encode()), TOKEN.encode().hex().encode(), b"fern"):
            assert form not in kept

    def test_nobody_else_may_read_it_at_any_moment(self, path, monkeypatch):
        modes, write = [], os.fsync
        monkeypatch.setattr(os, "fsync", lambda fd: (modes.append(os.fstat(fd).st_mode), write(fd)))
        Vault(path, "fern").keep(TOKEN)
        assert {stat.S_IMODE(mode) for mode in [*modes, path.stat().st_mode]} == {0o600}

    def test_a_crash_leaves_the_old_one(self, path, monkeypatch):
        one = Vault(path, "fern")
        one.keep(TOKEN)
        monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("no power")))
        with pytest.raises(OSError, match="no power"):
            one.keep("another")
        assert one.token() == TOKEN
        assert list(path.parent.iterdir()) == [path]

    def test_another_passphrase_is_refused(self, path):
        Vault(path, "fern").keep(TOKEN)
        with pytest.raises(CannotOpen):
            Vault(path, "moss").token()

    @pytest.mark.parametrize("damage", [b"", b"short", bytes(100)])
    def test_a_damaged_file_is_refused(self, path, damage):
        path.write_bytes(damage)
        with pytest.raises(CannotOpen):
            Vault(path, "fern").token()

    def test_nothing_is_kept_at_first_and_after_a_clear(self, path):
        one = Vault(path, "fern")
        assert one.token() is None
        one.keep(TOKEN)
        one.clear()
        one.clear()
        assert one.token() is None
        assert list(path.parent.iterdir()) == []

    def test_it_says_where_it_is(self, path):
        assert Vault(path, "fern").place == "an encrypted file"


class Drawer:
    """A keystore as `keyring` has them; it may be locked."""

    priority = 5

    def __init__(self):
        self.kept, self.locked = {}, False

    def get_password(self, service, username):
        if self.locked:
            raise KeyringLocked("the drawer is locked")
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def delete_password(self, service, username):
        if (service, username) not in self.kept:
            raise PasswordDeleteError("nothing there")
        del self.kept[service, username]


class TestKeystore:
    @pytest.fixture
    def drawer(self):
        return Drawer()

    @pytest.fixture
    def ours(self, tmp_path, drawer):
        return Vault(tmp_path / "ana", "", keystore=drawer)

    def test_the_token_is_there_and_in_no_file(self, ours, drawer, tmp_path):
        ours.keep(TOKEN)
        assert ours.token() == TOKEN
        assert drawer.kept == {("fernbank", "ana"): TOKEN}
        assert list(tmp_path.iterdir()) == []
        assert ours.place == "the keystore Drawer"

    def test_a_clear_twice(self, ours, drawer):
        ours.keep(TOKEN)
        ours.clear()
        ours.clear()
        assert ours.token() is None
        assert drawer.kept == {}

    def test_a_locked_one_says_so(self, ours, drawer):
        drawer.locked = True
        with pytest.raises(CannotOpen, match="the drawer is locked"):
            ours.token()

    def test_the_platform_s_is_found(self, monkeypatch, drawer):
        monkeypatch.setattr(keyring, "get_keyring", lambda: drawer)
        assert platform_keystore() is drawer

    @pytest.mark.parametrize("stand_in", ["fail", "null"])
    def test_a_stand_in_is_none(self, monkeypatch, stand_in):
        module = __import__(f"keyring.backends.{stand_in}", fromlist=["Keyring"])
        monkeypatch.setattr(keyring, "get_keyring", module.Keyring)
        assert platform_keystore() is None
