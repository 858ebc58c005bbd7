"""`python -m llm_observer` is `llm-observer`."""

import sys

from llm_observer.cli import main

if __name__ == "__main__":
    sys.exit(main())
