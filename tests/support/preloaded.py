"""What takes our programs longest to import; the process that they are forked from imports it once."""

# ruff: noqa: F401
from importlib import import_module
from pkgutil import walk_packages

import numpy
import PIL.Image
import streamlit.runtime.agent.interaction

import cli.sync
import dashboard
import exporter

for package in (dashboard, exporter):
    for module in walk_packages(package.__path__, f"{package.__name__}."):
        # The one that draws a page.
        if module.name != "dashboard.app":
            import_module(module.name)
