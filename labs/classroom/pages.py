"""Pages that stand alone: one file, no script, nothing loaded. What strangers wrote is shown, and never obeyed."""

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from .marks import number

TEMPLATES = Path(__file__).parent / "templates"
LONGEST = 20_000  # characters of one text: a hand-in can make an error message of a million


def visible(text: str) -> str:
    """`text` with its line ends, and every other character that cannot be seen, or turns the line round, as a number.

    What is longer than anybody reads is cut, and says so.
    """
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}\n(… {len(text) - LONGEST:,} more characters)"
    text = text.replace("\r\n", "\n")
    return "".join(one if one.isprintable() or one in "\n\t" else ascii(one)[1:-1] for one in text)


def one_line(text: str) -> str:
    """A name, or what else has no line ends, as visible() shows it: with a line end it is not taken for another."""
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


def prose(text: str) -> Markup:
    """A sentence, with what stands between `backticks` as code."""
    parts = enumerate(visible(text).split("`"))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else Markup.escape(part) for number, part in parts
    )


def page(template: str, **values) -> str:
    """The page that the template makes of these values, as HTML.

    All that it prints is escaped, and made visible first. Its policy (W3C Content Security Policy) lets a browser
    load nothing, run nothing and send nothing; the one style sheet is allowed by its digest.
    """
    return _templates.get_template(template).render(style=Markup(STYLE), policy=POLICY, **values).rstrip() + "\n"


STYLE = (TEMPLATES / "page.css").read_text("utf-8")
_digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_digest}'; base-uri 'none'; form-action 'none'"

_templates = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=lambda value: visible(value) if type(value) is str else value,
)
_templates.filters |= {"one_line": one_line, "points": number, "prose": prose}
