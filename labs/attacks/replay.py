"""Replay: a copy of a cookie, used after its owner has logged out (CWE-613, ASVS 5.0 7.4.1)."""

from .attempt import Attempt, Target

__all__ = ["after_logout", "use"]


def after_logout(target: Target) -> Attempt:
    """Copy the cookies at Ana's keyboard while she fetches coffee, let her log out, and use the copy."""
    target.victim.log_in()
    cookies = target.victim.copied()
    target.victim.log_out()
    return use(target, cookies, target.watch())


def use(target: Target, cookies: dict[str, str], watch) -> Attempt:
    """Ask for the balance with somebody else's cookies."""
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    answer = target.mallory().get("/balance", headers={"Cookie": header} if header else {})
    return Attempt(list(watch), answer.json() if answer.status == 200 else {}, 1)
