"""show(): what went over the wire, what a cookie jar holds, what the bank wrote down."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime

from markupsafe import Markup

from labs.bench import BenchError, Exchange, Visitor
from labs.bench.jar import CookieJar
from labs.bench.visitor import Response
from labs.bench.wire import WireLog

from . import exchange
from .drawing import Drawing, said, stacked, table

ROWS = 100  # of a table; a longer one says how many rows came before


class CannotShow(BenchError):
    """show() was given something that it cannot draw; the message says what it can."""


class Show:
    """Draws one thing on the page. More ways to draw are methods of this class, such as `show.token(jwt)` would be."""

    def __call__(self, thing, *, mark: str | Iterable[str] = (), note: str | None = None, record=None) -> None:
        """Draw a Response, an Exchange, a list of them, a wire log, cookies, a bank's record, or a table of data.

        `mark`: text (or texts) to mark wherever it goes over the wire; cookies, tokens and passwords that look like
        credentials are marked anyway. `note`: what to write at the request's credential. `record`: the bank's record,
        for an Exchange (a Response knows its site). Raises CannotShow.
        """
        marks = [mark] if isinstance(mark, str) else list(mark)
        draw(thing, marks, note, record).put()


show = Show()


def draw(thing, mark: Sequence[str] = (), note: str | None = None, record=None) -> Drawing:
    """The drawing that show() puts on the page. Raises CannotShow."""
    if isinstance(thing, Response):
        site = getattr(thing, "site", None)
        events = _events(thing.exchange, record if record is not None else site and site.record, site and site.log)
        return exchange.draw(thing.exchange, mark, note, events)
    if isinstance(thing, Exchange):
        return exchange.draw(thing, mark, note, _events(thing, record, None))
    if isinstance(thing, WireLog):
        return _log(list(thing), mark)
    if isinstance(thing, Visitor):
        return _cookies(thing.cookies, f"The cookies of {thing.name}" if thing.name else "The cookies")
    if isinstance(thing, CookieJar):
        return _cookies(thing, "The cookies")
    if _is_event(thing):
        return _record([thing])
    if hasattr(thing, "lost"):
        return _record(list(thing))
    if isinstance(thing, Mapping):
        return _fields(thing)
    if isinstance(thing, list | tuple):
        return _several(thing, mark, note, record)
    raise CannotShow(
        f"show cannot draw {type(thing).__name__}. It draws responses, exchanges and lists of them, a site's log and "
        "record, a visitor's cookies, and records of plain data (dict)."
    )


def _several(things, mark, note, record):
    if not things:
        return said("(nothing)")
    if all(map(_is_event, things)):
        return _record(things)
    if all(is_dataclass(thing) and not isinstance(thing, Exchange | Response) for thing in things):
        things = [asdict(thing) for thing in things]
    if all(isinstance(thing, Mapping) for thing in things):
        head = list(dict.fromkeys(key for thing in things for key in thing))
        return table("", head, [[_value(key, thing.get(key, "")) for key in head] for thing in things])
    return stacked(draw(thing, mark, note, record) for thing in things)


# ---- the wire ------------------------------------------------------------------------------------------------------


def _log(exchanges: list[Exchange], mark: Sequence[str]) -> Drawing:
    """One row an exchange; in HTML each opens to the raw bytes."""
    rows = [
        [str(one.n), one.person or "someone", _folded(one, mark), str(one.status or "no answer")]
        for one in exchanges[-ROWS:]
    ]
    return table(_counted("exchange", exchanges), ["n", "from", "request", "status"], rows)


def _folded(one: Exchange, mark):
    line = exchange.visible(f"{one.method} {one.path}".strip() or "(no request line)")
    html = Markup("<details><summary>{}</summary>{}</details>").format(line, exchange.draw(one, mark).html)
    return Drawing(html, line)


def _events(one: Exchange, record, log) -> list[str]:
    """What the record says about this exchange: the events of its person from then to that person's next request."""
    if record is None:
        return []
    after = [other.at for other in log or () if other.person == one.person and other.n > one.n]
    until = min(after, default=float("inf"))
    return [str(event) for event in record if event.person == one.person and one.at <= event.at < until]


# ---- cookies, records, data ----------------------------------------------------------------------------------------


def _cookies(jar: CookieJar, caption: str) -> Drawing:
    rows = [
        [cookie.name, cookie.value, cookie.domain, cookie.path, _yes(cookie.secure), _yes(cookie.http_only),
         cookie.samesite or "(not said)"]
        for cookie in jar
    ]
    return table(caption, ["name", "value", "domain", "path", "Secure", "HttpOnly", "SameSite"], rows)


def _record(events: Sequence) -> Drawing:
    rows = [[str(number), event.person, str(event)] for number, event in enumerate(events, 1)][-ROWS:]
    return table(f"The bank's record: {_counted('event', events)}", ["", "who", "what"], rows)


def _fields(fields: Mapping) -> Drawing:
    return table("", ["field", "value"], [[str(key), _value(key, value)] for key, value in fields.items()])


def _value(key, value) -> str:
    """A value for a table cell: text as it is, times (`..._at`, `last_seen`) as dates, the rest as JSON or repr."""
    if isinstance(value, str):
        return exchange.visible(value)
    if isinstance(value, bool):
        return _yes(value)
    if isinstance(value, int | float) and (str(key).endswith("_at") or key in ("last_seen", "iat", "exp", "nbf")):
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
