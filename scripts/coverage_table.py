"""Writes docs/reference/coverage.md, the table of ops and modes: ``python scripts/coverage_table.py``.

With ``--check`` it writes nothing, and fails where the page is another. The cells are those that tests/modes tries.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "coverage.md"
sys.path.insert(0, str(ROOT))  # the tests are no package that is installed

from tests.modes.page import page  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description="Writes docs/reference/coverage.md, the table of ops and modes.")
    parser.add_argument("--check", action="store_true", help="only compare the page with what it should be")
    options = parser.parse_args()
    text = page()
    if options.check:
        if PAGE.read_text(encoding="utf-8") == text:
            return 0
        print(f"{PAGE.relative_to(ROOT)} is out of date; run python scripts/coverage_table.py", file=sys.stderr)
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
