"""An exchange drawn as raw HTTP, request and response side by side, with the credential marked."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from markupsafe import Markup

from labs.bench import Exchange

from .drawing import Drawing

SIDE_BY_SIDE = 120  # characters: what is wider is drawn as text one below the other
LONG_BODY = 30  # lines: what is longer is cut in text and folded in HTML

CREDENTIAL = re.compile(r"(^|[^a-z])sid$|sess|token|auth|jwt", re.IGNORECASE)
IN_QUERY = re.compile(r"[?&]([^=&\s]+)=([^&\s]+)")
IN_JSON = re.compile(r'"(password|\w*token)"\s*:\s*"([^"]+)"')
IN_FORM = re.compile(r"(?:^|&)(password|\w*token)=([^&\s]+)")


@dataclass(frozen=True)
class Line:
    """One line on the wire: its text, the parts of it to mark, and what to write below it after a ▲."""

    text: str
    marked: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def draw(exchange: Exchange, mark: Sequence[str] = (), note: str | None = None) -> Drawing:
    """Request and response side by side.

    `mark`: more texts to mark wherever they occur. `note`: what to write at the request's first credential,
    in place of its kind. Below the response stands what the bank's record says about this exchange.
    """
    asked = list(_lines(exchange.request, mark, note))
    answered = list(_lines(exchange.response, mark, None)) if exchange.response else [Line("(no answer)")]
    below = [f"the bank's record: {event}" for event in exchange.told]
    if exchange.truncated:
        below.insert(0, "the log kept the first 64 KiB of this exchange")
    who = f"Request by {exchange.person}" if exchange.person else "Request"
    html = Markup('<div class="fern-pair">{}{}</div>').format(_half(who, asked), _half("Response", answered, below))
    return Drawing(html, _text(_text_lines(asked), _text_lines(answered, below)))


def visible(text: str) -> str:
    """`text` with line ends as they are read, and every other character that cannot be seen as its escape."""
    text = text.replace("\r\n", "\n")
    return "".join(one if one.isprintable() or one in "\n\t" else ascii(one)[1:-1] for one in text)


# ---- what is in a message ----------------------------------------------------------------------------------


def _lines(message: bytes, mark: Sequence[str], note: str | None) -> Iterator[Line]:
    """The lines of a message with their marks; `note` replaces what is said of the first credential."""
    head, _, body = message.partition(b"\r\n\r\n")
    for text, marked, kinds in [*_head(head), *_body(body)]:
        more = tuple(one for one in mark if one and one in text)
        if note and (marked or more):
            kinds, note = (note,), None
        yield Line(text, tuple(dict.fromkeys((*marked, *more))), tuple(dict.fromkeys(kinds)))


def _head(head: bytes) -> Iterator[tuple[str, tuple, tuple]]:
    for position, text in enumerate(visible(head.decode("utf-8", "backslashreplace")).split("\n")):
        found = _in_query(text) if position == 0 else _in_header(*text.partition(":")[::2])
        values, kinds = zip(*found, strict=True) if found else ((), ())
        yield text, tuple(value for value in values if value), kinds


def _in_query(line: str) -> list[tuple[str, str]]:
    return [(value, f"a credential in the address: {name}") for name, value in IN_QUERY.findall(line)
            if CREDENTIAL.search(name)]


def _in_header(name: str, value: str) -> list[tuple[str, str]]:
    """The credentials of one header: (value, what it is). The value is "" where a cookie is taken back."""
    match name.lower():
        case "cookie":
            pairs = (pair.strip().partition("=")[::2] for pair in value.split(";"))
            return [
                (secret, f"the credential: cookie {key}")
                for key, secret in pairs if CREDENTIAL.search(key)
            ]
        case "set-cookie":
            key, _, secret = value.partition(";")[0].strip().partition("=")
            if CREDENTIAL.search(key):
                kind = f"a new credential: cookie {key}" if secret else f"cookie {key} is taken back"
                return [(secret, kind)]
        case "authorization":
            scheme, _, secret = value.strip().partition(" ")
            return [(secret, f"the credential: {scheme}")]
    return []


def _body(body: bytes) -> Iterator[tuple[str, tuple, tuple]]:
    if not body:
        return
    try:
        lines = visible(body.decode()).rstrip("\n").split("\n")
    except UnicodeDecodeError:
        lines = [f"({len(body):,} bytes that are not text)"]
    yield "", (), ()
    for text in lines:
        found = IN_JSON.findall(text) or IN_FORM.findall(text)
        yield text, tuple(value for _, value in found), tuple(f"the {name}" for name, _ in found)


# ---- how it is drawn ---------------------------------------------------------------------------------------


NOTE = Markup("<strong>▲ {}</strong>")


def _half(title: str, lines: list[Line], below: Sequence[str] = ()) -> Markup:
    """One side. `title` names it for eyes and screen readers; `below` stands below it after a ▲."""
    shown, folded = lines[:LONG_BODY], lines[LONG_BODY:]
    html = Markup("<pre>{}</pre>").format(Markup("\n").join(map(_html_line, shown)))
    if folded:
        html += Markup("<details><summary>{} more lines</summary><pre>{}</pre></details>").format(
            len(folded), Markup("\n").join(map(_html_line, folded))
        )
    if below:
        html += Markup("<pre>{}</pre>").format(Markup("\n").join(map(NOTE.format, below)))
    frame = Markup('<div role="group" aria-label="{}"><p>{}</p>{}</div>')
    return frame.format(title, title, html)


def _html_line(line: Line) -> Markup:
    html = Markup.escape(line.text)
    if line.marked:
        wanted = re.compile("|".join(re.escape(one) for one in sorted(line.marked, key=len, reverse=True)))
        html = Markup("").join(
            Markup("<mark>{}</mark>").format(part) if wanted.fullmatch(part) else Markup.escape(part)
            for part in re.split(f"({wanted.pattern})", line.text) if part
        )
    return Markup("\n").join([html, *map(NOTE.format, line.notes)])


def _text(left: list[str], right: list[str]) -> str:
    column = max(map(len, left)) + 4
    if column + max(map(len, right)) <= SIDE_BY_SIDE:
        return "\n".join((a.ljust(column) + b).rstrip() for a, b in zip_longest(left, right, fillvalue=""))
    lines = [*(f"> {line}" for line in left), "", *(f"< {line}" for line in right)]
    return "\n".join(line.rstrip() for line in lines)


def _text_lines(lines: list[Line], below: Sequence[str] = ()) -> list[str]:
    texts = []
    for line in lines[:LONG_BODY]:
        texts += [line.text, *(f"▲ {note}" for note in line.notes)]
    if len(lines) > LONG_BODY:
        texts.append(f"({len(lines) - LONG_BODY} more lines)")
    return texts + [f"▲ {note}" for note in below]
