"""The instructor's and the author's side: build the learners' notebooks, hand out copies, open JupyterLab."""
