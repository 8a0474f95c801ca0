"""`python -m deepwell`: the command line."""

import sys

from deepwell.cli import main

if __name__ == "__main__":
    sys.exit(main())
