"""Folders of the bench itself. When two commits are compared, the package dev is the one of the checkout that is
measured, and so is dev.paths.ROOT; this package stays the one of the checkout that compares."""
import os

TOOLS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
OWN = os.path.dirname(TOOLS)
HERE = os.path.join(OWN, "load-testing", "bench")
