"""The instructor's and the author's side: build the learners' notebooks, hand out copies, open JupyterLab."""

import sys

# jsonschema, which nbformat brings, would use it for addresses with foreign letters, which no notebook has. Importing
# it takes longer than the rest of a command's start, and each worker of a batch would wait for it.
sys.modules.setdefault("rfc3987_syntax", None)
