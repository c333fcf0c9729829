"""The documentation site: `make docs`."""

import importlib.metadata
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import generate

project = "rsim"
author = "the authors of rsim"
copyright = f"2026, {author}"
release = importlib.metadata.version("rsim")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
]
html_theme = "furo"
html_title = f"rsim {release}"
exclude_patterns = ["_build", "data"]

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_timeout = 900
nb_execution_raise_on_error = True
nb_merge_streams = True

autodoc_typehints = "description"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
default_role = "code"

generate.pages(Path(__file__).parent)


def setup(app):
    """Has links to studies lead to their pages."""

    def read(app, name, source):
        source[0] = generate.linked(source[0])

    app.connect("source-read", read)
