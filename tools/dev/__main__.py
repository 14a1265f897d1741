"""Lets the package run as a folder (python3 tools/dev …) without putting its modules on the import path."""
import os
import sys

sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from dev.cli import main  # noqa: E402  (the path must be set first)

sys.exit(main(sys.argv[1:]))
