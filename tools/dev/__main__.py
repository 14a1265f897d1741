"""Lets the package run as a folder (python3 tools/dev …) without putting its modules on the import path."""
import os
import sys

sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from dev.report import DevError  # noqa: E402  (the path must be set first)

try:
    from dev.cli import main
except DevError as error:  # a service.json that cannot be read
    sys.exit(f"dev: {error}")
sys.exit(main(sys.argv[1:]))
