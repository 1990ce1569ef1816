"""Every code block of the README and of docs/ runs, and gives what it shows.

Blocks of ``python`` are run, ``pycon`` is compared with its output, in one namespace for each page. The lines
``$ adjoint …`` of ``console`` are run as well; in their output numbers may differ by 5 %, since other machines' matrix
products may round otherwise, and a line ``...`` stands for any number of lines. ``py`` with a title quotes a file.
"""

from __future__ import annotations

import doctest
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from sybil import Example, Sybil
from sybil.evaluators.doctest import DocTestEvaluator
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.abstract.doctest import DocTestStringParser
from sybil.parsers.markdown import CodeBlockParser

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
NEEDS = {
    "README.md": "matplotlib",
    "docs/compiler.md": "llvmlite",
    "docs/guides/compile.md": "llvmlite",
    "docs/guides/optimize.md": "scipy",
    "docs/guides/saving.md": "safetensors",
    "docs/guides/time-series.md": "safetensors",
}
KNOWN = {"python", "pycon", "console", "sh", "text", "py"}
FENCE = re.compile(r"^ *```(\S*)([^\n]*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"-?\d+\.\d+(?:e[-+]?\d+)?|-?\d+")


class PyconParser(CodeBlockParser):
    """The statements of ``pycon`` blocks."""

    def __init__(self) -> None:
        super().__init__("pycon", evaluator=lambda _: None)
        self._statements = DocTestStringParser(DocTestEvaluator(doctest.ELLIPSIS))

    def __call__(self, document):
        for region in super().__call__(document):
            for statement in self._statements(region.parsed, document.path):
                statement.adjust(region, region.parsed)
                yield statement


def run_console(example: Example) -> None:
    """Runs the commands of a ``console`` block, and compares what they print."""
    for command, expected in commands(example.parsed):
        if command.startswith("adjoint "):
            assert_alike(expected, run_adjoint(command), f"{example.path}, line {example.line}: {command}")


def commands(block: str) -> list[tuple[str, list[str]]]:
    """Each command of a block, without its prompt, and the lines that it shows."""
    found: list[tuple[str, list[str]]] = []
    for line in block.rstrip("\n").split("\n"):
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def run_adjoint(command: str) -> list[str]:
    """The lines that a command writes to standard error and standard output, unless it sends them to a file."""
    _, *arguments = shlex.split(command)
    target = None
    if ">" in arguments:
        *arguments, arrow, target = arguments
        assert arrow == ">"
    run = subprocess.run([sys.executable, "-m", "adjoint", *arguments], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    if target is not None:
        Path(target).write_text(run.stdout)
    return (run.stderr + ("" if target else run.stdout)).splitlines()


def assert_alike(expected: list[str], found: list[str], where: str) -> None:
    if "..." in expected:
        at = expected.index("...")
        head, tail = expected[:at], expected[at + 1 :]
        assert len(found) >= len(head) + len(tail), where
        found = found[:at] + found[len(found) - len(tail) :]
        expected = head + tail
    assert len(found) == len(expected), f"{where} prints\n" + "\n".join(found)
    for one, other in zip(expected, found, strict=True):
        assert " ".join(NUMBER.sub("0", one).split()) == " ".join(NUMBER.sub("0", other).split()), where
        numbers = [[float(number) for number in NUMBER.findall(line)] for line in (one, other)]
        assert numbers[1] == pytest.approx(numbers[0], rel=0.05), where


SYBIL = Sybil(
    parsers=[
        PyconParser(),
        CodeBlockParser("python", PythonEvaluator()),
        CodeBlockParser("console", run_console),
    ]
)


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """A folder with the data of the examples, in which a page may leave what it likes."""
    shutil.copytree(ROOT / "examples" / "data", tmp_path / "examples" / "data")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.mark.usefixtures("folder", "op_table")
@pytest.mark.parametrize("page", PAGES, ids=name)
def test_page(page):
    if name(page) in NEEDS:
        pytest.importorskip(NEEDS[name(page)])
    document = SYBIL.parse(page)
    document.namespace["__name__"] = "__main__"  # the module of what a page defines, as in a program
    for example in document:
        example.evaluate()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_blocks_are_of_languages_that_are_run_or_meant_to_be_read(page):
    assert {language for language, _, _ in FENCE.findall(page.read_text(encoding="utf-8"))} <= KNOWN


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_statement_is_checked(page):
    """No prompt stands in a block that is not compared."""
    for language, _, body in FENCE.findall(page.read_text(encoding="utf-8")):
        assert language == "pycon" or ">>> " not in body
        assert language == "console" or not re.search(r"^\$ ", body, re.MULTILINE)


QUOTATIONS = [
    pytest.param(title[1], body, id=f"{name(page)}: {body.split(' ')[0]}")
    for page in PAGES
    for _, options, body in FENCE.findall(page.read_text(encoding="utf-8"))
    if (title := re.search(r'title="(.*?)"', options))
]


@pytest.mark.parametrize(("path", "body"), QUOTATIONS)
def test_quotations_are_in_the_file_that_they_name(path, body):
    assert body in (ROOT / path).read_text(encoding="utf-8")


class TestComparisonOfOutput:
    """The comparison itself."""

    def test_numbers_may_differ_a_little(self):
        assert_alike(["loss 0.100, step 3"], ["loss 0.104, step 3"], "")
        with pytest.raises(AssertionError):
            assert_alike(["loss 0.100"], ["loss 0.110"], "")

    def test_words_may_not(self):
        with pytest.raises(AssertionError):
            assert_alike(["loss 0.1"], ["cost 0.1"], "")

    def test_dots_stand_for_lines(self):
        assert_alike(["a", "...", "z"], ["a", "b", "c", "z"], "")
        for wrong in (["a", "b"], ["z"], ["b", "z"]):
            with pytest.raises(AssertionError):
                assert_alike(["a", "...", "z"], wrong, "")

    def test_lines_may_not_be_missing(self):
        for wrong in ([], ["a", "b", "c"]):
            with pytest.raises(AssertionError):
                assert_alike(["a", "b"], wrong, "")

    def test_commands_and_their_lines(self):
        assert commands("$ one\na\nb\n$ two\n") == [("one", ["a", "b"]), ("two", [])]
