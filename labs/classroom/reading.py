"""Where a learner reads on: the sections of lessons that an exercise stands in, or that a lab puts together."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

from .cells import checked_exercise
from .course import HERE, Course, find
from .errors import ClassroomError
from .files import read

#: For the exercises of labs, which teach nothing themselves: a lesson and one of its numbered sections.
SECTIONS = {
    "19.1": ("10 3", "10 5", "10 6"),
    "19.2": ("10 9", "30 3"),
    "19.3": ("10 7", "10 8"),
    "19.4": ("11 4", "11 5", "11 6"),
    "29.1": ("20 3", "20 4", "21 4", "21 5"),
    "29.2": ("20 2", "20 4"),
    "29.3": ("20 5", "21 7"),
    "29.4": ("21 7", "21 8"),
    "39.1": ("30 2", "30 3", "30 6"),
    "39.2": ("10 9", "30 6"),
    "39.3": ("31 1", "31 2", "31 4"),
    "39.4": ("31 7", "32 6"),
}


@dataclass(frozen=True)
class Place:
    """A section of a lesson: the lesson's file and title, and the section's heading."""

    file: str
    lesson: str
    section: str

    def address(self, lessons: str) -> str:
        """Where the lesson is, if all are below the address `lessons`; "" when that is ""."""
        return f"{lessons.rstrip('/')}/{quote(self.file)}" if lessons else ""


def places(exercise: str, course: Course | None = None) -> list[Place]:
    """Where to read on for an exercise."""
    course = course or Course(HERE)
    if exercise in SECTIONS:
        return [_section(course, *one.split()) for one in SECTIONS[exercise]]
    lesson = _lesson(course, exercise.partition(".")[0])
    return [Place(lesson.file, lesson.title, lesson.exercises[exercise])] if exercise in lesson.exercises else []


@dataclass(frozen=True)
class _Lesson:
    file: str
    title: str
    sections: tuple[str, ...]
    exercises: dict[str, str]


@cache
def _lesson(course: Course, number: str) -> _Lesson:
    [path] = find(course.notebooks, (number,))
    return _read(path, course.label(path))


def _read(path: Path, label: str) -> _Lesson:
    title, sections, exercises = path.stem, [""], {}
    for cell in read(path, label).cells:
        if cell.cell_type == "code" and (exercise := checked_exercise(cell.source)):
            exercises.setdefault(exercise, sections[-1])
        for level, heading in re.findall(r"^(##?) (.+)$", cell.source if cell.cell_type == "markdown" else "", re.M):
            if level == "#":
                title = heading
            else:
                sections.append(heading)
    return _Lesson(path.name, title, tuple(sections[1:]), exercises)


def _section(course: Course, number: str, section: str) -> Place:
    lesson = _lesson(course, number)
    for heading in lesson.sections:
        if heading.startswith(f"{section} · "):
            return Place(lesson.file, lesson.title, heading)
    raise ClassroomError(f"{lesson.file} has no section {section}, to which a lab's feedback leads.")


def title(number: str, course: Course | None = None) -> str:
    """The title of a lesson or lab: "19 · Lab: the session desk"."""
    return _lesson(course or Course(HERE), number).title
