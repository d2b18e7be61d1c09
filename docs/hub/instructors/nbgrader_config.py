"""nbgrader's settings in an instructor's server: those of the class, wherever the server was started."""

import os

c = get_config()  # noqa: F821  (traitlets puts it here)

load_subconfig("nbgrader_config.py", path=os.environ["FERNBANK_CLASS"])  # noqa: F821
