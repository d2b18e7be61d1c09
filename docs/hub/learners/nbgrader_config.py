"""nbgrader's settings in a learner's server: the name on what they hand in is the one they logged in with."""

import os

c = get_config()  # noqa: F821  (traitlets puts it here)

c.CourseDirectory.student_id = os.environ["JUPYTERHUB_USER"]
