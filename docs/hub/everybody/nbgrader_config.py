"""nbgrader's settings in every server of a hub: which course this is, and where labs are handed out and in."""

import os

c = get_config()  # noqa: F821  (traitlets puts it here)

c.CourseDirectory.course_id = "sessions-tokens-or-both"
c.Exchange.root = os.environ["FERNBANK_EXCHANGE"]
