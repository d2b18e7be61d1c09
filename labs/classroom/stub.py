"""The one step in which this course differs from nbgrader's own: a stub says what is missing.

nbgrader_config.py puts it in the place of nbgrader's ClearSolutions.
"""

from nbformat import NotebookNode
from nbgrader.preprocessors import ClearSolutions

#: Stands in the stub that nbgrader_config.py configures, until it is known what is missing.
PLACEHOLDER = "<what is missing>"


class SayWhatIsMissing(ClearSolutions):
    """ClearSolutions, with the text after each begin marker, and the exercise's number, put into its stub.

    `### BEGIN SOLUTION sign the token` in cell `ex-20-3` becomes
    `raise NotImplementedError("Exercise 20.3: sign the token")`.
    """

    def preprocess_cell(self, cell: NotebookNode, resources: dict, cell_index: int):
        """Give the cell without its solution, and the resources. Raises RuntimeError for unpaired markers."""
        wanted = [
            line.partition(self.begin_solution_delimeter)[2].strip(" :#")
            for line in cell.source.splitlines()
            if self.begin_solution_delimeter in line
        ]
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        number = cell.metadata.get("nbgrader", {}).get("grade_id", "").removeprefix("ex-").replace("-", ".")
        for what in wanted:
            missing = f"Exercise {number}: {what or 'your code here'}"
            missing = missing.replace("\\", "\\\\").replace('"', '\\"')  # it goes between double quotes
            cell.source = cell.source.replace(PLACEHOLDER, missing, 1)
        return cell, resources
