"""A drawing: one thing for the page, as HTML for a browser, and as text for a terminal and for nbval."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

#: Colours come from JupyterLab's theme; the fixed pairs (marks and badges) read on light and dark alike.
#: `.fern.fern`: JupyterLab's own rules for tables name two classes, and would win over one.
STYLE = Markup(
    """<style>
.fern { color: var(--jp-content-font-color1, inherit); padding: .3em .6em; line-height: 1.45 }
.fern div.fern-pair { display: flex; flex-wrap: wrap; gap: .4em 1.2em }
.fern div.fern-pair > div { flex: 0 1 auto; max-width: 100% }
.fern div.fern-pair > div + div { flex: 1 1 26em; min-width: min(26em, 100%) }
.fern div.fern-pair p { margin: 0; font-weight: bold }
.fern.fern pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; background: transparent; font-size: .93em;
  font-family: var(--jp-code-font-family, monospace) }
.fern.fern mark { background: #ffe28a; color: #141414; padding: 0; text-decoration: underline }
.fern.fern table { border-collapse: collapse; margin: 0; color: inherit; table-layout: auto }
.fern.fern caption { text-align: left; font-weight: bold; color: inherit; padding: .2em 0; caption-side: top }
.fern.fern tr { border-top: 1px solid var(--jp-border-color1, #888) }
.fern.fern th, .fern.fern td { text-align: left; vertical-align: top; padding: .25em 1.2em .25em 0 }
.fern.fern td span { display: inline-block; padding: 0 .5em; border-radius: .2em; color: #fff; white-space: nowrap }
.fern.fern span.fern-yes { background: #1b5e20 }
.fern.fern span.fern-no { background: #8b1a1a }
.fern.fern span.fern-wait { background: #424242 }
.fern.fern dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1em; margin: .2em 0 }
.fern.fern dt { font-weight: bold; white-space: nowrap; float: none; width: auto }
.fern.fern dd { margin: 0; float: none; width: auto }
.fern summary { cursor: pointer }
.fern summary:focus-visible { outline: 2px solid currentColor }
</style>"""
)


@dataclass(frozen=True)
class Drawing:
    """`html` (safe markup, without a frame) and `text` (lines) say the same."""

    html: Markup
    text: str

    def put(self) -> None:
        """Put the drawing on the page; print the text where there is no page."""
        if "IPython" not in sys.modules or sys.modules["IPython"].get_ipython() is None:
            encoding = sys.stdout.encoding or "utf-8"
            print(self.text.encode(encoding, "replace").decode(encoding))
            return
        from IPython.display import display

        html = Markup('{}<div class="fern">{}</div>').format(STYLE, self.html)
        display({"text/html": str(html), "text/plain": self.text}, raw=True)


def said(sentence: str) -> Drawing:
    """A sentence, drawn as it is."""
    return Drawing(Markup("<p>{}</p>").format(prose(sentence)), sentence)


def prose(text: str) -> Markup:
    """A sentence as HTML, with what stands between `backticks` as code."""
    code = Markup("<code>{}</code>")
    parts = enumerate(text.split("`"))
    return Markup("").join(code.format(part) if number % 2 else Markup.escape(part) for number, part in parts)


def stacked(drawings: Iterable[Drawing]) -> Drawing:
    """Drawings one below the other."""
    drawings = list(drawings)
    return Drawing(Markup("\n").join(one.html for one in drawings), "\n\n".join(one.text for one in drawings))


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str | Drawing]]) -> Drawing:
    """A table with a caption and column headings. A cell is text, or a Drawing whose text is one line."""
    cells = [[_cell(one) for one in row] for row in rows]
    return Drawing(_table_html(caption, head, cells), _table_text(caption, head, cells))


def _cell(content: str | Drawing) -> Drawing:
    return content if isinstance(content, Drawing) else Drawing(Markup.escape(content), content)


def _table_html(caption, head, rows):
    headings = Markup("").join(Markup('<th scope="col">{}</th>').format(one) for one in head)
    body = Markup("\n").join(
        Markup('<tr><th scope="row">{}</th>{}</tr>').format(
            first.html, Markup("").join(Markup("<td>{}</td>").format(cell.html) for cell in rest)
        )
        for first, *rest in rows
    )
    return Markup(
        "<table><caption>{}</caption>\n<thead><tr>{}</tr></thead>\n<tbody>{}</tbody></table>"
    ).format(caption, headings, body)


def _table_text(caption, head, rows):
    texts = [[*head], *([cell.text for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in texts)
    return "\n".join([caption, *("  " + line for line in lines)])
