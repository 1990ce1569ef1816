"""Runs a command on one core: ``python -m benchmarks.pinned COMMAND ...``; its exit status is the command's."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.processes import pin

if __name__ == "__main__":
    pin()
    sys.exit(subprocess.run(sys.argv[1:], check=False).returncode)
