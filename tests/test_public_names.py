"""The public names: written down in each module, documented, and shown by example."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
from pathlib import Path

import pytest

import adjoint as ad
from adjoint import functions as F

ROOT = Path(ad.__file__).parent
PACKAGES = sorted(path.parent for path in ROOT.rglob("__init__.py") if path.parent != ROOT)
FILES = sorted(path for path in ROOT.rglob("*.py") if path.name not in ("__init__.py", "__main__.py"))
# Declarations of ops stand in the op table, under their own names; NumPy's namespace is described by `PRIMITIVES`.
DECLARATIONS = {path for path in FILES if path.parent.name == "ops" and path.name not in ("declaration.py", "raw.py")}
# What stands for NumPy's functions is listed in the tables of `adjoint.core.numpy_protocol`.
FOR_NUMPY = {path for path in FILES if path.parent.name == "numpy"} - {
    ROOT / "numpy" / "creation.py",
    ROOT / "numpy" / "registering.py",
}
LISTED_ELSEWHERE = {*DECLARATIONS, *FOR_NUMPY, ROOT / "arrays" / "numpy_namespace.py"}
# The program's own modules: they list what their siblings use, and their other functions are nobody's to call.
PROGRAM = {path for path in FILES if path.parent.name == "cli"}

ROOT_NAMES = """
    AdjointError Variable apply data functions hooks layers models no_grad normal ones ones_like op optimizers rand
    randn random special strict_ieee test_mode testing viz zeros zeros_like
""".split()
FUNCTIONS = """
    add sub mul div neg pow square sin cos tanh exp log sum mean variance max min clip reshape transpose broadcast_to
    sum_to squeeze unsqueeze concat stack split getitem take scatter_add matmul linear sigmoid relu gelu softmax
    log_softmax masked_fill dropout mean_squared_error softmax_cross_entropy accuracy sqrt abs maximum minimum where
    log1p expm1 sinh cosh arctan softplus leaky_relu elu swish logsumexp norm einsum cumsum prod std
    binary_cross_entropy sigmoid_cross_entropy
""".split()


def dotted(path):
    return ".".join(("adjoint", *path.relative_to(ROOT).with_suffix("").parts))


def defined_names(tree):
    """The public functions and classes that a file defines."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")}


def reexported_names(tree):
    """What an ``__init__`` passes on: ``from a import b as b``."""
    aliases = [alias for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    return {alias.asname for alias in aliases if alias.asname == alias.name}


@pytest.mark.parametrize("path", [path for path in FILES if path not in LISTED_ELSEWHERE], ids=dotted)
def test_what_a_module_lists_is_there(path):
    module = importlib.import_module(dotted(path))
    assert len(set(module.__all__)) == len(module.__all__)
    assert all(hasattr(module, name) and not name.startswith("_") for name in module.__all__)


@pytest.mark.parametrize("path", [path for path in FILES if path not in LISTED_ELSEWHERE | PROGRAM], ids=dotted)
def test_module_lists_its_public_functions_and_classes(path):
    assert defined_names(ast.parse(path.read_text())) <= set(importlib.import_module(dotted(path)).__all__)


@pytest.mark.parametrize("path", PACKAGES, ids=dotted)
def test_package_passes_on_names_that_its_modules_list(path):
    package = importlib.import_module(dotted(path))
    tree = ast.parse((path / "__init__.py").read_text())
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module.startswith(package.__name__ + "."):
            listed = importlib.import_module(node.module).__all__
            assert {alias.name for alias in node.names} <= set(listed)


def test_root_offers_what_is_written_down():
    assert reexported_names(ast.parse((ROOT / "__init__.py").read_text())) >= set(ROOT_NAMES)
    assert all(hasattr(ad, name) for name in ROOT_NAMES)


def public(module):
    return {name: value for name, value in vars(module).items() if not name.startswith("_")}


FUNCTION_OBJECTS = {name: value for name, value in public(F).items() if inspect.isfunction(value)}


def test_functions_are_those_that_the_system_promises():
    assert set(FUNCTIONS) <= set(FUNCTION_OBJECTS)


def test_functions_are_all_that_its_modules_list():
    modules = [importlib.import_module(dotted(path)) for path in FILES if path.parent.name == "functions"]
    assert {name for module in modules for name in module.__all__} == set(FUNCTION_OBJECTS)


@pytest.mark.parametrize("name", sorted(FUNCTION_OBJECTS))
def test_function_is_documented_and_shown_by_an_example_that_prints(name):
    examples = doctest.DocTestParser().get_examples(FUNCTION_OBJECTS[name].__doc__ or "")
    assert examples
    assert any(example.want for example in examples)


@pytest.mark.parametrize("path", [*FILES, *(package / "__init__.py" for package in PACKAGES)], ids=dotted)
def test_public_definitions_and_files_have_docstrings(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            if any(isinstance(decorator, ast.Name) and decorator.id == "overload" for decorator in node.decorator_list):
                continue
            # NumPy documents the functions that stand for its own.
            assert ast.get_docstring(node) or path in LISTED_ELSEWHERE, f"{node.name} in {path}"
