"""Sphinx: pip install -e ".[docs]" && sphinx-build -W docs docs/_build."""

project = "rlcourse"
author = "the rlcourse authors"
extensions = ["myst_parser"]
myst_enable_extensions = ["dollarmath"]
exclude_patterns = ["_build"]
suppress_warnings = ["myst.xref_missing"]  # links to sources
html_theme = "alabaster"
html_theme_options = {"description": "The reinforcement-learning course that you can run", "fixed_sidebar": True}
