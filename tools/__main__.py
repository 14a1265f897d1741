"""The command line of ./dev. Python runs this folder, so that imports begin here: dev, chaos, load, testkit."""
import sys

from dev.report import DevError

try:
    from dev.cli import main
except DevError as error:  # a service.json that cannot be read
    sys.exit(f"dev: {error}")
sys.exit(main(sys.argv[1:]))
