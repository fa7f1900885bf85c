"""Sphinx settings. Builds offline: no intersphinx, no fonts or scripts from elsewhere."""

from __future__ import annotations

project = "hkex_ops"
author = "the hkex_ops authors"
language = "en"

extensions = ["myst_parser"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]

nitpicky = True
html_theme = "furo"
html_title = "hkex_ops"
html_static_path = ["_static"]
html_css_files = ["hkex_ops.css"]
