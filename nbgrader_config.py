"""nbgrader's settings for this course, read by its own commands and by `python -m labs.classroom build`.

What stands between `### BEGIN SOLUTION what is missing` and `### END SOLUTION`, inside a `def`, becomes
`raise NotImplementedError("Exercise 10.4: what is missing")` in a learner's notebook.
"""

from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import ClearSolutions

from labs.classroom.stub import PLACEHOLDER, SayWhatIsMissing

c = get_config()  # noqa: F821  (traitlets puts it here)

c.CourseDirectory.course_id = "sessions-tokens-or-both"

c.ClearSolutions.begin_solution_delimeter = "### BEGIN SOLUTION"
c.ClearSolutions.end_solution_delimeter = "### END SOLUTION"
c.ClearSolutions.code_stub = {"python": f'raise NotImplementedError("{PLACEHOLDER}")'}
c.ClearSolutions.enforce_metadata = True

c.LockCells.lock_solution_cells = True
c.LockCells.lock_grade_cells = True
c.LockCells.lock_readonly_cells = True

# nbgrader's own steps, but the one that clears a solution also says what is missing.
c.GenerateAssignment.preprocessors = [
    SayWhatIsMissing if step is ClearSolutions else step
    for step in GenerateAssignment.preprocessors.default()
]
