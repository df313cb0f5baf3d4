"""Encryption of provider keys at rest.

`LAUREL_ENCRYPTION_KEYS` holds Fernet keys, newest first: the first encrypts, all decrypt, so a
key is rotated by putting a new one in front.
"""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class UndecryptableError(ValueError):
    """A stored secret fits none of LAUREL_ENCRYPTION_KEY's keys. Enter the secret again."""


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.LAUREL_ENCRYPTION_KEYS])


def encrypt(secret: str) -> str:
    return _fernet().encrypt(secret.encode()).decode()


def decrypt(token: str) -> str:
    try:
        return _fernet().decrypt(token.encode()).decode()
    except InvalidToken:
        raise _undecryptable() from None


def encrypt_anew(token: str) -> str:
    """The same secret, encrypted with the first key. Raises UndecryptableError."""
    try:
        return _fernet().rotate(token.encode()).decode()
    except InvalidToken:
        raise _undecryptable() from None


def _undecryptable() -> UndecryptableError:
    return UndecryptableError(
        "A stored key cannot be decrypted: LAUREL_ENCRYPTION_KEY changed. "
        "Put the former key behind the new one, or enter the provider's key again."
    )
