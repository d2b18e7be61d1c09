"""Good tokens in bad hands: signed as they should be, for another service, of another kind, over, or ended (CWE-613).

Nothing is forged here. Each attack presents a token about the victim that her own client handed to Mallory's app.
"""

from .attempt import Attempt
from .claims_target import ClaimsTarget
from .compact import decode, encode

__all__ = ["ORDER", "cross_service", "endless", "expired", "id_token", "respelt", "twin"]

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the curve P-256 (SEC 2, §2.4.2): how many numbers s there are."""


def cross_service(target: ClaimsTarget) -> Attempt:
    """A token for statements, which Bloom may read, at accounts, where the money is (RFC 8725 §3.9)."""
    return target.present([target.sent_to_bloom(audience="statements")])


def id_token(target: ClaimsTarget) -> Attempt:
    """An ID token, which tells a client who is there, in place of an access token (RFC 8725 §3.11, §3.12).

    Its audience is the client: Mallory has named hers as the service is named, and nobody minded.
    """
    return target.present([target.sent_to_bloom("id_token", client="accounts")])


def expired(target: ClaimsTarget, days: float = 1) -> Attempt:
    """A token that is over, some time later (RFC 7519 §4.1.4)."""
    token = target.sent_to_bloom()
    target.wait(days=days)
    return target.present([token])


def endless(target: ClaimsTarget, days: float = 365) -> Attempt:
    """A token that says no end, from where identity forgets to say one, a year later (ASVS 9.2.1)."""
    token = target.sent_to_bloom(path="/standing-order")
    target.wait(days=days)
    return target.present([token])


def respelt(target: ClaimsTarget) -> Attempt:
    """A token that was ended, with what a lenient reader skips behind it: the same token in another text."""
    token = target.sent_to_bloom()
    target.victim_ends(token)
    return target.present([token + "=", token + "=="])


def twin(target: ClaimsTarget) -> Attempt:
    """A token of ES256 that was ended, with n - s for its s: as good a signature, and nobody needs a key for it."""
    token = target.sent_to_bloom()
    target.victim_ends(token)
    signed, _, signature = token.rpartition(".")
    raw = decode(signature)
    other = (ORDER - int.from_bytes(raw[32:], "big")) % ORDER if len(raw) == 64 else 0
    return target.present([f"{signed}.{encode(raw[:32] + other.to_bytes(32, 'big'))}"])
