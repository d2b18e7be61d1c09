"""hint(): the next hint for an exercise; the last one says where its solution stands."""

import textwrap

from markupsafe import Markup

from labs.exercises import Exercise, UnknownExercise, all_exercises, exercise

from .drawing import Drawing, prose, said

_shown: dict[str, int] = {}  # by exercise id; a restarted kernel begins again with the first hint


def hint(id: str) -> None:
    """Draw the next hint for exercise `id` ("10.4")."""
    try:
        the = exercise(id)
    except UnknownExercise as error:
        said(str(error)).put()
        return
    last = f"The solution stands in solutions/, in the notebook that begins with {the.notebook}, cell {cell(the)}."
    hints = [*the.hints, last]
    number = min(_shown.get(id, 0) + 1, len(hints))
    _shown[id] = number
    title, text = f"{the.id} · {the.title} · hint {number} of {len(hints)}", hints[number - 1]
    html = Markup("<p><strong>{}</strong></p><p>{}</p>").format(title, prose(text))
    Drawing(html, f"{title}\n{textwrap.indent(textwrap.fill(text, 90), '  ')}").put()


def cell(the: Exercise) -> str:
    """The id of the notebook cell that is handed in for an exercise; the tiers of a lab share their first one's."""
    ours = [one for one in all_exercises() if one.notebook == the.notebook]
    first = next(one for one in ours if one is the or (the.defines and one.defines == the.defines))
    return f"ex-{first.id.replace('.', '-')}"
