"""show(): what went over the wire, what a cookie jar holds, what the bank wrote down."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime

from markupsafe import Markup

from labs.bench import BenchError, Exchange, Response, Visitor, WireLog
from labs.bench.jar import CookieJar

from . import exchange, token
from .drawing import Drawing, said, stacked, table

ROWS = 100  # of a table; a longer one says how many there are
TIMES = ("last_seen", "iat", "nbf", "exp")  # and whatever ends in _at: seconds since 1970


class CannotShow(BenchError):
    """show() was given something that it cannot draw; the message says what it can."""


class Show:
    """Draws one thing on the page. A further way to draw is a method of this class: `show.something(...)`."""

    def __call__(
        self, thing, *, mark: str | Iterable[str] = (), note: str | None = None, title: str = ""
    ) -> None:
        """Draw a Response, an Exchange, a site's log or record, cookies, plain records, or a list of these.

        `mark`: text (or texts) to mark wherever it goes over the wire; what looks like a credential is marked
        anyway. `note`: what to write at the request's credential. `title`: of a table. Raises CannotShow.
        """
        marks = [mark] if isinstance(mark, str) else list(mark)
        draw(thing, marks, note, title).put()

    def token(self, jwt, *, now: float | None = None, title: str = "") -> None:
        """Draw a token taken apart: its parts with their sizes, what they say, and what is wrong with it.

        It takes damaged tokens too, and anything else; it verifies nothing. `now`: seconds since 1970, default the
        clock's, for what has expired.
        """
        token.draw(jwt, now, title).put()


show = Show()


def draw(thing, mark: Sequence[str] = (), note: str | None = None, title: str = "") -> Drawing:
    """The drawing that show() puts on the page. Raises CannotShow."""
    match thing:
        case Response():
            return exchange.draw(thing.exchange, mark, note)
        case Exchange():
            return exchange.draw(thing, mark, note)
        case WireLog():
            return _log(list(thing), mark, title)
        case Visitor():
            return _cookies(thing.cookies, title or f"The cookies of {thing.name or 'this visitor'}")
        case CookieJar():
            return _cookies(thing, title or "The cookies")
        case Mapping():
            rows = [[str(key), _value(key, value)] for key, value in thing.items()]
            return table(title or "A record", ["field", "value"], rows)
    if _is_event(thing):
        return _record([thing], title)
    if hasattr(thing, "lost"):
        return _record(list(thing), title)
    if isinstance(thing, list | tuple):
        return _several(thing, mark, note, title)
    raise CannotShow(
        f"show cannot draw {type(thing).__name__}. It draws a response, an exchange, a site's log or record, "
        "a visitor's cookies, a record of plain data (dict), and lists of these."
    )


def _several(things, mark, note, title):
    if not things:
        return said(f"{title}: nothing" if title else "Nothing.")
    if all(map(_is_event, things)):
        return _record(things, title)
    if all(is_dataclass(thing) and not isinstance(thing, Exchange | Response) for thing in things):
        things = [asdict(thing) for thing in things]
    if all(isinstance(thing, Mapping) for thing in things):
        head = list(dict.fromkeys(key for thing in things for key in thing))
        rows = [[_value(key, thing.get(key, "")) for key in head] for thing in things]
        return table(title or _counted("record", things), [str(key).replace("_", " ") for key in head], rows)
    return stacked(draw(thing, mark, note) for thing in things)


# ---- the wire ----------------------------------------------------------------------------------------------


def _log(exchanges: list[Exchange], mark: Sequence[str], title: str) -> Drawing:
    """One row an exchange; in HTML each opens to the raw bytes."""
    rows = [
        [str(one.n), one.person or "someone", _folded(one, mark), str(one.status or "no answer")]
        for one in exchanges[-ROWS:]
    ]
    return table(title or _counted("exchange", exchanges), ["n", "from", "request", "status"], rows)


def _folded(one: Exchange, mark: Sequence[str]) -> Drawing:
    line = exchange.visible(f"{one.method} {one.path}".strip() or "(no request line)")
    raw = exchange.draw(one, mark).html
    return Drawing(Markup("<details><summary>{}</summary>{}</details>").format(line, raw), line)


# ---- cookies, records, data --------------------------------------------------------------------------------


def _cookies(jar: CookieJar, title: str) -> Drawing:
    rows = [
        [cookie.name, cookie.value, cookie.domain + (" only" if cookie.host_only else " and below"), cookie.path]
        + [_yes(cookie.secure), _yes(cookie.http_only), cookie.same_site or "not said"]
        for cookie in jar.records()
    ]
    return table(title, ["name", "value", "for", "path", "Secure", "HttpOnly", "SameSite"], rows)


def _record(events: Sequence, title: str) -> Drawing:
    rows = [[str(number), str(event), str(event.user)] for number, event in enumerate(events, 1)][-ROWS:]
    title = title or f"The bank's record: {_counted('event', events)}"
    return table(title, ["n", "what happened", "whom the bank took them for"], rows)


def _value(key, value) -> str:
    """A value for a table's cell: text as it is, times as dates, the rest as JSON or as Python writes it."""
    if isinstance(value, str):
        return exchange.visible(value)
    if isinstance(value, bool):
        return _yes(value)
    if isinstance(value, int | float) and (str(key).endswith("_at") or key in TIMES):
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return exchange.visible(repr(value))


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


def _is_event(thing) -> bool:
    return all(hasattr(thing, name) for name in ("at", "person", "action", "owner"))


def _counted(what: str, things: Sequence) -> str:
    number = f"{len(things)} {what}{'' if len(things) == 1 else 's'}"
    return number + (f", the last {ROWS} of them" if len(things) > ROWS else "")
