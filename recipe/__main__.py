"""`python -m recipe` is `recipe`."""

import sys

from recipe.cli import main

if __name__ == "__main__":
    sys.exit(main())
