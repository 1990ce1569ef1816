"""The page of the table is what the ops are, and the script that writes it says where it is not."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

from tests.modes.exceptions import NOTES
from tests.modes.page import page
from tests.support import package_ops

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "coverage.md"
SCRIPT = ROOT / "scripts" / "coverage_table.py"


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == page(), "run python scripts/coverage_table.py"


def test_notes_are_on_ops_that_there_are():
    assert set(NOTES) <= {op.name for op in package_ops()}


def test_the_script_compares(tmp_path, monkeypatch, capsys):
    assert subprocess.run([sys.executable, str(SCRIPT), "--check"], cwd=tmp_path).returncode == 0
    main = runpy.run_path(str(SCRIPT))["main"]
    other = ROOT / "docs" / "reference" / "errors.md"
    monkeypatch.setitem(main.__globals__, "PAGE", other)
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), "--check"])
    assert main() == 1
    assert "out of date" in capsys.readouterr().err
