"""A token at rest on somebody's phone or laptop: in the platform's keystore, or sealed in a file."""

import contextlib
import os
import secrets
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

__all__ = ["CannotOpen", "Keystore", "Vault", "platform_keystore", "seal", "unseal"]

NONCE = 12  # bytes: the length that AES-GCM is made for (NIST SP 800-38D §8.2)
SALT = 16
SERVICE = "fernbank"


class CannotOpen(ValueError):
    """What is kept cannot be opened: another key, a changed file, or a keystore that says no. A sentence."""


def seal(token: str, key: bytes) -> bytes:
    """Encrypt `token` with AES-256-GCM under `key` (32 bytes), so that a change is noticed. Raises ValueError.

    Each call draws a new nonce: two texts under one nonce would give away what differs between them, and the key
    of the authentication with it.
    """
    nonce = secrets.token_bytes(NONCE)
    return nonce + AESGCM(_of_32(key)).encrypt(nonce, token.encode(), None)


def unseal(sealed: bytes, key: bytes) -> str:
    """The token that `seal` was given. Raises CannotOpen for another key, or when a single bit has changed."""
    nonce, rest = sealed[:NONCE], sealed[NONCE:]
    try:
        return AESGCM(_of_32(key)).decrypt(nonce, rest, None).decode()
    except (InvalidTag, ValueError):
        raise CannotOpen("This was sealed with another key, or has been changed since.") from None


def _of_32(key: bytes) -> bytes:
    if len(key) != 32:
        raise ValueError(f"A key for AES-256 has 32 bytes, and this one has {len(key)}.")
    return key


# ---- the platform's keystore -----------------------------------------------------------------------------------


class Keystore(Protocol):
    """What a vault needs of `keyring`'s backends."""

    def get_password(self, service: str, username: str) -> str | None: ...
    def set_password(self, service: str, username: str, password: str) -> None: ...
    def delete_password(self, service: str, username: str) -> None: ...


def platform_keystore() -> Keystore | None:
    """Keychain, Credential Manager, Secret Service or KWallet, as `keyring` finds it; None where there is none."""
    import keyring  # not at the top: it looks for every backend there could be

    backend = keyring.get_keyring()
    return backend if backend.priority >= 1 else None  # below 1 are its stand-ins, which keep nothing, or no secret


class Vault:
    """One token of one person, kept until the next start of the program.

    In `keystore`, if that is not None: the system decides who may read it. Else in the file `path`, sealed with a
    key that is made from `passphrase`; it is written whole or not at all, and only its owner may read it. The
    passphrase is what the file's secrecy hangs on: four digits are tried through in minutes. (A phone keeps a key
    in its hardware, which counts the tries.)

    Every method raises CannotOpen when the keystore refuses, and OSError when the file cannot be used.
    """

    def __init__(self, path: Path | str, passphrase: str, keystore: Keystore | None = None) -> None:
        self.path = Path(path)
        self._passphrase, self._keystore = passphrase, keystore
        self._salt, self._key = b"", b""  # of the file; made when they are first needed

    @property
    def place(self) -> str:
        """Where the token is kept, in words."""
        return "an encrypted file" if self._keystore is None else f"the keystore {type(self._keystore).__name__}"

    def keep(self, token: str) -> None:
        """Keep this token, in the place of the one before."""
        if self._keystore is not None:
            return _asked(self._keystore.set_password, SERVICE, self.path.name, token)
        key = self._key_for(self._salt or secrets.token_bytes(SALT))
        _write_private(self.path, self._salt + seal(token, key))

    def token(self) -> str | None:
        """The token that is kept, or None."""
        if self._keystore is not None:
            return _asked(self._keystore.get_password, SERVICE, self.path.name)
        try:
            kept = self.path.read_bytes()
        except FileNotFoundError:
            return None
        return unseal(kept[SALT:], self._key_for(kept[:SALT]))

    def clear(self) -> None:
        """Forget the token; a second call does nothing."""
        if self._keystore is None:
            self.path.unlink(missing_ok=True)
        elif self.token() is not None:
            _asked(self._keystore.delete_password, SERVICE, self.path.name)

    def _key_for(self, salt: bytes) -> bytes:
        if salt != self._salt:
            # Slow on purpose, 32 MiB a guess: it is made from a passphrase. Once is enough, each seal has its nonce.
            self._key = Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(self._passphrase.encode())
            self._salt = salt
        return self._key


def _asked(method, *arguments: str):
    """What the keystore's method gives. Raises CannotOpen with its reason."""
    from keyring.errors import KeyringError

    try:
        return method(*arguments)
    except KeyringError as error:
        raise CannotOpen(f"The keystore of this system refused: {error or type(error).__name__}.") from None


def _write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read, so that a crash leaves the old one or the new one."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        # The permissions from the start: a chmod afterwards would leave a moment in between.
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            fresh.unlink()
