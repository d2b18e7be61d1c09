"""hint(): the next hint for an exercise; the last one says where its solution stands."""

from markupsafe import Markup

from labs.exercises import UnknownExercise, exercise

from .drawing import Drawing, said

_shown: dict[str, int] = {}  # by exercise id, in this kernel: a restarted one begins again with the first hint


def hint(id: str) -> None:
    """Draw the next hint for exercise `id` ("10.4")."""
    try:
        the = exercise(id)
    except UnknownExercise as error:
        said(str(error)).put()
        return
    hints = [*the.hints, f"The solution stands in solutions/, in the notebook that begins with {the.notebook}, "
             f"cell ex-{the.id.replace('.', '-')}."]
    number = min(_shown.get(id, 0) + 1, len(hints))
    _shown[id] = number
    text = f"{the.id} · {the.title} · hint {number} of {len(hints)}"
    Drawing(
        Markup("<p><strong>{}</strong></p><p>{}</p>").format(text, hints[number - 1]), f"{text}\n  {hints[number - 1]}"
    ).put()
