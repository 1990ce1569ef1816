"""The documentation as a site: it builds without network, and its tables and references name what is there."""

from __future__ import annotations

import functools
import html
import importlib.util
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import adjoint as ad
from adjoint import (
    data,
    errors,
    fft,
    functions,
    hooks,
    layers,
    linalg,
    models,
    optimize,
    optimizers,
    random,
    special,
    testing,
    viz,
)
from adjoint.cli import main as cli

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = "\n".join(page.read_text(encoding="utf-8") for page in (DOCS / "reference").glob("*.md"))


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """The built documentation."""
    pytest.importorskip("mkdocs", reason="MkDocs is not installed")
    pytest.importorskip("mkdocstrings", reason="mkdocstrings is not installed")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout + run.stderr == ""
    return folder


class TestSite:
    def test_every_page_is_there(self, site):
        pages = {page.relative_to(DOCS).with_suffix(".html") for page in DOCS.rglob("*.md")}
        assert pages <= {page.relative_to(site) for page in site.rglob("*.html")}

    def test_nothing_is_loaded_from_the_network(self, site):
        for page in site.rglob("*.html"):
            text = page.read_text(encoding="utf-8")
            loaded = re.findall(r"<(?:script|img|iframe|source)[^>]*\ssrc=\"?([^\"\s>]+)", text)
            loaded += re.findall(r"<link[^>]*rel=\"?stylesheet\"?[^>]*href=\"?([^\"\s>]+)", text)
            assert [url for url in loaded if re.match(r"(https?:)?//", url)] == [], page

    def test_programs_of_the_documentation_are_no_part_of_it(self, site):
        assert list(site.rglob("*.py")) == []

    def test_examples_of_docstrings_are_code(self, site):
        """Not quotations of quotations, which is what Markdown makes of three angles."""
        for page in (site / "reference").glob("*.html"):
            assert "<blockquote>\n<blockquote>" not in page.read_text(encoding="utf-8"), page


def public_names(module) -> set[str]:
    """What a module defines for users, or a package passes on."""
    public = {name: value for name, value in vars(module).items() if not name.startswith("_") and callable(value)}
    passes_on = module in (ad, testing)
    home = "adjoint." if passes_on else module.__name__
    return {name for name, value in public.items() if value.__module__.startswith(home)}


class TestReference:
    @pytest.mark.parametrize(
        "module",
        [functions, fft, linalg, special, layers, models, optimize, optimizers, hooks, data, viz, testing],
        ids=lambda module: module.__name__,
    )
    def test_names_every_public_name(self, module):
        named = set(re.findall(rf"^::: {module.__name__}\.(\w+)$", REFERENCE, re.MULTILINE))
        assert named == public_names(module)

    def test_names_what_the_root_has(self):
        # `adjoint.compile` is a package as well, which is what the reference would find under that name
        prefixes = r"config\.|compile\.function\.(?=compile$)"
        named = set(re.findall(rf"^::: adjoint\.(?:{prefixes})?(\w+)$", REFERENCE, re.MULTILINE))
        assert named == (public_names(ad) | {"no_grad", "strict_ieee", "test_mode"}) - {"AdjointError"}

    @pytest.mark.parametrize("module", [errors, random], ids=lambda module: module.__name__)
    def test_names_what_modules_list(self, module):
        named = set(re.findall(rf"^::: {module.__name__}\.(\w+)$", REFERENCE, re.MULTILINE))
        assert named == set(module.__all__)

    def test_tells_of_every_option_of_the_program(self):
        page = (DOCS / "reference" / "cli.md").read_text(encoding="utf-8")
        for command in ("lstm", "dot"):
            text = subprocess.run(
                [sys.executable, "-m", "adjoint", command, "--help"], capture_output=True, text=True, check=True
            ).stdout
            options = set(re.findall(r"^ +(?:-\w, )?(-{1,2}[\w-]+)", text, re.MULTILINE)) - {"--help", "-h"}
            assert options
            assert {option for option in options if f"`{option}" not in page} == set()

    def test_tells_the_defaults_of_the_program(self):
        page = (DOCS / "reference" / "cli.md").read_text(encoding="utf-8")
        options = vars(cli.make_parser().parse_args(["lstm"]))
        for option, default in re.findall(r"^\| `--([\w-]+)[^|]*\| ([\d.]+) \|", page, re.MULTILINE):
            value = options.get(option.replace("-", "_"))
            assert value is None or value == float(default), option


class TestNamesOfTheGoLibrary:
    PAGE = (DOCS / "source-names.md").read_text(encoding="utf-8")

    def test_every_name_here_exists(self):
        spaces = {"ad": ad, "F": functions, "L": layers}
        spaces |= {module.__name__.split(".")[1]: module for module in (models, optimizers, hooks, data, viz)}
        rows = [row.split(" | ")[1] for row in self.PAGE.splitlines() if row.startswith("| `") and " | " in row]
        text = "\n".join(rows) + self.PAGE[self.PAGE.index("Only here") :].split("\n\n")[0]
        named = re.findall(r"\b(ad|F|L|models|optimizers|hooks|data|viz)\.([\w.]+)", text)
        assert len(named) > 90
        for space, path in named:
            functools.reduce(getattr, path.rstrip(".").split("."), spaces[space])

    def test_every_attribute_here_exists(self):
        x = ad.Variable(1.0)
        rows = [row.split(" | ")[1] for row in self.PAGE.splitlines() if row.startswith("| `")]
        attributes = re.findall(r"`[xy]\.(\w+)", "\n".join(rows))
        assert len(attributes) >= 15
        assert [name for name in attributes if not hasattr(x, name) and name not in ("w", "b")] == []

    def test_every_function_has_its_row(self):
        assert {name for name in public_names(functions) if f"F.{name}" not in self.PAGE} == {"getitem"}  # x[…]


class TestImages:
    def test_pages_show_pictures_that_are_there_and_small(self):
        shown = set()
        for page in [ROOT / "README.md", *DOCS.rglob("*.md")]:
            text = page.read_text(encoding="utf-8")
            for path in re.findall(r"!\[[^\]]+\]\(([^)]+)\)|<img src=\"([^\"]+)\" alt=", text):
                shown.add((page.parent / (path[0] or path[1])).resolve())
        assert shown == set((DOCS / "images").iterdir())
        assert all(path.stat().st_size < 100_000 for path in shown)

    def test_the_program_that_makes_them_still_does(self, tmp_path):
        pytest.importorskip("matplotlib")
        program = runpy.run_path(str(DOCS / "make_images.py"))
        program["draw_plots"](tmp_path)
        made = {"rosenbrock.svg", "mlp_sine.svg"}
        if shutil.which("dot") is not None:
            program["draw_graphs"](tmp_path)
            made.add("tanh2.svg")
        assert {path.name for path in tmp_path.iterdir()} == made
        assert made <= {path.name for path in (DOCS / "images").iterdir()}

    def test_the_graph_in_the_documentation_is_the_one_of_today(self):
        """Whatever Graphviz makes of the places: the labels are those that are drawn now."""
        program = runpy.run_path(str(DOCS / "make_images.py"))
        picture = (DOCS / "images" / "tanh2.svg").read_text(encoding="utf-8")
        x = ad.Variable(1.0, name="x")
        y = functions.tanh(x)
        y.name = "y"
        second = program["second_derivative"](x, y)
        labels = [html.unescape(label) for label in re.findall(r"<text[^>]*>([^<]*)</text>", picture)]
        assert sorted(labels) == sorted(re.findall(r'label="([^"]+)"', viz.dot(second)))


class TestChangelog:
    TEXT = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    def test_begins_with_this_version_or_what_is_unreleased(self):
        first = re.search(r"^## \[([^\]]+)\]", self.TEXT, re.MULTILINE)
        assert first is not None
        assert first[1] in ("Unreleased", ad.__version__)
        assert f"## [{ad.__version__}]" in self.TEXT


def test_links_between_files_of_the_repository():
    """MkDocs checks the links between pages; these lead from files that it does not see."""
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]:
        prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        for path in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", prose):
            assert path.startswith("https://") or (ROOT / path).exists(), f"{page.name}: {path}"


def test_the_setup_that_pages_tell_is_the_one_of_the_project():
    assert importlib.util.find_spec("adjoint.cli.main") is not None
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for extra in ("all", "files", "cli", "docs", "dev"):
        assert re.search(rf"^{extra} = ", text, re.MULTILINE)
