"""A cookie without `Secure`, read in the air: whoever shares the network reads plain HTTP (CWE-614, ASVS 5.0 3.3.1).

On this machine every `*.localhost` counts as secure, so this one is worked out: which cookies a browser sends to
`http://` at a bank out in the world.
"""

from .attempt import Attempt, Target
from .replay import use

__all__ = ["overheard"]


def overheard(target: Target) -> Attempt:
    """Ana types the bank's address without https; Mallory listens, and uses what she hears."""
    target.victim.log_in()
    watch = target.watch()
    heard = target.victim.without_https()
    cookies = dict(heard.request_headers).get("Cookie", "")
    return use(target, dict(pair.partition("=")[::2] for pair in cookies.split("; ")) if cookies else {}, watch)
