"""A report of the judge, drawn: what was expected, what happened, where to look."""

import textwrap

from markupsafe import Markup

from labs.exercises import Report, Verdict
from labs.exercises.judge import UNCHANGED, UNPROVEN

from .drawing import Drawing, prose
from .exchange import visible

WIDTH = 92  # characters of the text form
WAITS = "held; its points count once every customer is served"
WAITS_FOR_AN_ATTACK = "held; its points count once the first one holds"
KEPT = "held, as it did before; its points count once another one does"


def draw(report: Report, replay: str = "") -> Drawing:
    """The report as HTML and as text. `replay`: the call that repeats the draw, shown when a probe failed."""
    if report.status == "not attempted":
        return _sentence(report, "not attempted yet")
    if report.status in ("unusable", "not judged"):
        return _sentence(report, "could not be run", report.message)
    failed = not report.passed
    return Drawing(_html(report, replay if failed else ""), _text(report, replay if failed else ""))


def _sentence(report, state, message=""):
    title = f"{report.exercise} · {report.title}: {state}"
    html = Markup("<p><strong>{}</strong></p>").format(title)
    text = title
    if message:
        html += Markup("<p>{}</p>").format(prose(visible(message)))
        text += "\n" + _wrapped("  ", visible(message))
    return Drawing(html, text)


def _score(report):
    return f"{report.points} of {report.of} point{'' if report.of == 1 else 's'}"


def _points(verdict):
    return f"{verdict.points} point{'' if verdict.points == 1 else 's'}"


def _waits(verdict):
    """For what the points of a probe wait that held."""
    return {UNCHANGED: KEPT, UNPROVEN: WAITS_FOR_AN_ATTACK}.get(verdict.happened, WAITS)


# ---- text --------------------------------------------------------------------------------------------------


def _text(report: Report, replay: str) -> str:
    lines = [_right(f"{report.exercise} · {report.title}", _score(report))]
    for verdict in report.verdicts:
        if verdict.passed:
            lines.append(f"  ✓ {verdict.probe}")
        elif verdict.waits:
            lines.append(_right(f"  – {verdict.probe}", _points(verdict)))
        else:
            lines += [_right(f"  ✗ {verdict.probe}", _points(verdict)), *_why(verdict, report.exercise)]
    lines += dict.fromkeys(f"  – {_waits(verdict)}" for verdict in report.verdicts if verdict.waits)
    if report.printed:
        lines += ["  your code printed", textwrap.indent(visible(report.printed).rstrip("\n"), "      ")]
    if replay:
        lines.append(f"  replay with {replay}")
    return "\n".join(lines)


def _why(verdict: Verdict, exercise: str) -> list[str]:
    fields = [(name, visible(value)) for name, value in _fields(verdict)]
    lines = [_wrapped(f"      {name:<10}", value) for name, value in fields]
    call = f'hint("{exercise}")'
    last = lines.pop() if lines else ""
    if "\n" in last or len(last) + len(call) + 2 > WIDTH:
        lines += [last, _right("", call)]
    else:
        lines.append(_right(last, call))
    if verdict.exchange:
        lines.append(textwrap.indent(visible(verdict.exchange).rstrip("\n"), "      | ", lambda line: True))
    return lines


def _wrapped(start: str, text: str) -> str:
    # An id or a token stays in one piece, however long: nothing may be read across two lines.
    return textwrap.fill(text, WIDTH, initial_indent=start, subsequent_indent=" " * len(start),
                         break_long_words=False, break_on_hyphens=False) or start


def _right(left: str, right: str) -> str:
    return f"{left}{right:>{max(WIDTH - len(left), len(right) + 2)}}"


def _fields(verdict: Verdict) -> list[tuple[str, str]]:
    expected = verdict.expected if verdict.expected != verdict.probe else ""  # the title has said it
    fields = [("expected", expected), ("happened", verdict.happened), ("look at", verdict.look_at)]
    return [(name, value) for name, value in fields if value]


# ---- HTML --------------------------------------------------------------------------------------------------

TABLE = Markup(
    "<table><caption>{}</caption>\n"
    '<thead><tr><th scope="col">result</th><th scope="col">probe</th><th scope="col">points</th></tr>'
    "</thead>\n"
    "<tbody>{}</tbody></table>"
)
PASSED = Markup('<tr><td><span class="fern-yes">✓ passed</span></td><td>{}</td><td>{}</td></tr>')
FAILED = Markup(
    '<tr><td><span class="fern-no">✗ not yet</span></td><td>{}<dl>{}</dl>{}</td><td>0 of {}</td></tr>'
)
WAITING = Markup('<tr><td><span class="fern-wait">– waits</span></td><td>{}<br>{}</td><td>0 of {}</td></tr>')
FIELD = Markup("<dt>{}</dt><dd>{}</dd>")
FOLDED = Markup("<details><summary>{}</summary><pre>{}</pre></details>")


def _html(report: Report, replay: str) -> Markup:
    rows = Markup("\n").join(_row(verdict, report.exercise) for verdict in report.verdicts)
    html = TABLE.format(f"{report.exercise} · {report.title} · {_score(report)}", rows)
    if report.printed:
        html += FOLDED.format("What your code printed", visible(report.printed))
    if replay:
        html += Markup("<p>replay with <code>{}</code></p>").format(replay)
    return html


def _row(verdict: Verdict, exercise: str) -> Markup:
    if verdict.passed:
        return PASSED.format(prose(verdict.probe), f"{verdict.points} of {verdict.points}")
    if verdict.waits:
        return WAITING.format(prose(verdict.probe), _waits(verdict), verdict.points)
    why = Markup("").join(FIELD.format(name, prose(visible(value))) for name, value in _fields(verdict))
    why += Markup('<dt>more</dt><dd><code>hint("{}")</code></dd>').format(exercise)
    shown = FOLDED.format("The exchange that shows it", visible(verdict.exchange)) if verdict.exchange else ""
    return FAILED.format(prose(verdict.probe), why, shown, verdict.points)
