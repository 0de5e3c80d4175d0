"""`python -m icx.sandbox`: the sandbox in this process."""

import sys

from icx.sandbox.serve import main

if __name__ == "__main__":
    sys.exit(main())
