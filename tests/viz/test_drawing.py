"""Pictures: with Graphviz where it is installed, and without it."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import xml.etree.ElementTree as ElementTree

import pytest

import adjoint as ad
from adjoint import functions as F, viz
from adjoint.errors import AdjointError, ArgumentError, MissingDependencyError

needs_graphviz = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz (its program dot) is not installed")
needs_scripts = pytest.mark.skipif(sys.platform == "win32", reason="puts a shell script in the place of dot")


@pytest.fixture
def x() -> ad.Variable:
    return ad.Variable(1.0, name="x")


@pytest.fixture
def y(x) -> ad.Variable:
    return F.sin(x)


@pytest.fixture
def no_graphviz(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def broken_graphviz(monkeypatch, tmp_path):
    """A dot that takes some time, then fails."""
    script = tmp_path / "dot"
    script.write_text('#!/bin/sh\n"$SLEEP" 0.5\necho "syntax error" >&2\nexit 3\n')
    script.chmod(stat.S_IRWXU)
    monkeypatch.setenv("SLEEP", shutil.which("sleep") or "sleep")
    monkeypatch.setenv("PATH", str(tmp_path))


def texts(picture: str) -> list[str]:
    """The words in an SVG picture, which must be well-formed XML."""
    root = ElementTree.fromstring(picture)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    return [text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text")]


@needs_graphviz
class TestWithGraphviz:
    def test_svg(self, y):
        assert sorted(texts(viz.svg(y))) == ["sin", "x"]

    def test_svg_verbose(self, y):
        found = texts(viz.svg(y, verbose=True))
        assert "1.0" in found
        assert found.count("() float64") == 2

    @pytest.mark.parametrize(
        "name",
        ['say "x"', "\\", "ends with \\", '\\"', "\\N \\G \\l", "<b>bold</b>", "a & b", "&lt;", "&amp;", "θ₁", "名前"],
    )
    def test_names_are_drawn_as_they_are(self, name):
        assert texts(viz.svg(ad.Variable(1.0, name=name))) == [name]

    def test_lines_of_a_name(self):
        assert texts(viz.svg(ad.Variable(1.0, name="two\nlines"))) == ["two", "lines"]

    def test_control_characters_leave_the_picture_well_formed(self):
        assert texts(viz.svg(ad.Variable(1.0, name="a\x00\x1b\x85\ud800"))) == ["a" + 4 * "\N{REPLACEMENT CHARACTER}"]

    @pytest.mark.parametrize("order", range(1, 4))
    def test_higher_orders(self, order):
        x = ad.Variable(1.0, name="x")
        y = F.tanh(x)
        for _ in range(order):
            x.cleargrad()
            y.backward(create_graph=True)
            y = x.grad
        assert "tanh" in texts(viz.svg(y))

    @pytest.mark.parametrize(("ending", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
    def test_save(self, y, tmp_path, ending, start):
        path = tmp_path / f"graph.{ending}"
        viz.save(y, path)
        assert path.read_bytes().startswith(start)
        assert os.listdir(tmp_path) == [path.name]

    def test_a_notebook_gets_the_picture(self, y):
        assert viz.graph(y)._repr_svg_() == viz.svg(y)

    def test_a_drawing_keeps_what_was_there(self, y):
        drawing = viz.graph(y)
        y.unchain()
        assert "sin" in texts(drawing._repr_svg_())


class TestWithoutGraphviz:
    def test_svg_says_what_to_install(self, y, no_graphviz):
        with pytest.raises(MissingDependencyError) as caught:
            viz.svg(y)
        for command in ("apt install graphviz", "brew install graphviz", "winget install graphviz"):
            assert command in str(caught.value)
        assert isinstance(caught.value, ImportError)

    def test_a_notebook_gets_the_text(self, y, no_graphviz):
        assert viz.graph(y)._repr_svg_() is None

    def test_a_picture_that_cannot_be_made_leaves_no_file(self, y, no_graphviz, tmp_path):
        with pytest.raises(MissingDependencyError):
            viz.save(y, tmp_path / "graph.svg")
        assert os.listdir(tmp_path) == []

    @pytest.mark.parametrize("ending", ["dot", "gv", "DOT"])
    def test_text_is_saved(self, y, no_graphviz, tmp_path, ending):
        path = tmp_path / f"graph.{ending}"
        viz.save(y, path, verbose=True)
        assert path.read_text(encoding="utf-8") == viz.dot(y, verbose=True) + "\n"


class TestSave:
    @pytest.mark.parametrize("name", ["graph", "graph.txt", "graph.svg.bak", ".svg"])
    def test_other_endings_are_refused(self, y, tmp_path, name):
        with pytest.raises(ArgumentError, match=r"\.dot, \.gv, \.svg, \.png, \.pdf"):
            viz.save(y, tmp_path / name)
        assert os.listdir(tmp_path) == []

    def test_paths_as_strings(self, y, tmp_path):
        viz.save(y, str(tmp_path / "graph.dot"))
        assert os.listdir(tmp_path) == ["graph.dot"]

    def test_unicode_names(self, tmp_path):
        viz.save(ad.Variable(1.0, name="θ"), tmp_path / "graph.dot")
        assert "θ" in (tmp_path / "graph.dot").read_text(encoding="utf-8")

    def test_a_folder_that_is_not_there(self, y, tmp_path):
        with pytest.raises(OSError, match="nowhere"):
            viz.save(y, tmp_path / "nowhere" / "graph.dot")


@needs_scripts
class TestFailingGraphviz:
    def test_its_message_is_passed_on(self, y, broken_graphviz):
        with pytest.raises(AdjointError, match=r"Graphviz failed \(3\): syntax error"):
            viz.svg(y)

    def test_a_file_is_left_as_it_was(self, y, broken_graphviz, tmp_path):
        path = tmp_path / "graph.svg"
        path.write_text("earlier")
        with pytest.raises(AdjointError):
            viz.save(y, path)
        assert path.read_text() == "earlier"

    def test_a_notebook_does_not_wait_for_long(self, y, broken_graphviz, monkeypatch):
        monkeypatch.setattr("adjoint.viz.drawing._NOTEBOOK_SECONDS", 0.1)
        assert viz.graph(y)._repr_svg_() is None


class TestDrawing:
    def test_text(self, y):
        drawing = viz.graph(y)
        assert str(drawing) == drawing.dot == viz.dot(y)
        assert viz.graph(y, verbose=True).dot == viz.dot(y, verbose=True)

    def test_repr_counts(self, y):
        assert repr(viz.graph(y)) == "<graph of 3 nodes and 2 edges>"
        assert repr(viz.graph(ad.Variable(1.0))) == "<graph of 1 nodes and 0 edges>"

    def test_names_that_look_like_dot_are_not_counted(self):
        assert repr(viz.graph(ad.Variable(1.0, name='0 [label="\n1 -> 2\n'))) == "<graph of 1 nodes and 0 edges>"
        assert repr(viz.graph(ad.Variable(1.0, name=" [label="))) == "<graph of 1 nodes and 0 edges>"


def test_importing_the_package_starts_nothing():
    import subprocess

    program = "import sys, adjoint.viz; print('subprocess' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
