"""``python -m adjoint``: the same as the program `adjoint`."""

import sys

from adjoint.cli.main import main

sys.exit(main())
