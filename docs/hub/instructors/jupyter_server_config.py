"""Settings of an instructor's server: JupyterLab may show nbgrader's formgrader, which is a page within its page."""

c = get_config()  # noqa: F821  (traitlets puts it here)

# A hub forbids frames, for whoever can put a page onto its host could lay one over another's: learners can, in their
# own servers, which no instructor enters.
c.ServerApp.tornado_settings = {"headers": {"Content-Security-Policy": "frame-ancestors 'self'"}}
