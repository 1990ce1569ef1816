"""The contract of imports: they go down the layers, siblings stand apart, NumPy is all that is needed."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import adjoint

ROOT = Path(adjoint.__file__).parent

# From the top down. A part may import from the rows below its own, not from its siblings.
LAYERS = [
    ["__main__"],
    ["cli"],
    ["optimize"],
    ["models", "hooks", "testing", "checking", "compile"],
    ["layers", "optimizers", "transforms"],
    ["array_api"],
    ["numpy"],
    ["fft", "linalg", "special"],
    ["functions", "viz", "data"],
    ["core"],
    ["lifted", "ops", "random", "program"],
    ["arrays"],
    ["provenance"],
    ["tree", "structures", "config", "files", "checks"],
    ["errors"],
    ["lines"],
]
HEIGHT = {part: -row for row, parts in enumerate(LAYERS) for part in parts}

# Libraries besides NumPy, and the parts that import each of them, when they need it.
OPTIONAL = {
    "safetensors": {"files"},
    "matplotlib": {"cli"},
    "tqdm": {"cli"},
    "cupy": {"arrays"},
    "scipy": {"arrays", "optimize"},
}


def module_name(path):
    """The dotted name below the package: "core.variable" for core/variable.py, "core" for core/__init__.py."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): ast.parse(path.read_text()) for path in sorted(ROOT.rglob("*.py"))}
INSIDE = {name: tree for name, tree in MODULES.items() if name}


def imports(tree):
    """Every import of a module, also within functions: (module, name or None)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from ((node.module, alias.name) for alias in node.names)


def parts_imported(tree):
    """The parts of the package that a module imports from: "core" for adjoint.core.variable."""
    for module, name in imports(tree):
        if module == "adjoint" and name is not None:
            yield name
        elif module.startswith("adjoint."):
            yield module.split(".")[1]


def test_every_part_has_its_place():
    assert {name.split(".")[0] for name in INSIDE} == set(HEIGHT)


@pytest.mark.parametrize("name", INSIDE)
def test_imports_go_down(name):
    part = name.split(".")[0]
    wrong = {other for other in parts_imported(INSIDE[name]) if other != part and HEIGHT[other] >= HEIGHT[part]}
    assert not wrong, f"{name} imports from {wrong}, which is not below {part}"


@pytest.mark.parametrize("name", INSIDE)
def test_nobody_inside_imports_from_the_root(name):
    """Its names are for users. `from adjoint import functions` names a part, and is no import from the root."""
    for module, imported in imports(INSIDE[name]):
        assert module != "adjoint" or imported in HEIGHT, f"{name} imports {imported} from the root package"


def test_modules_of_one_part_import_each_other_in_no_circle():
    """At the top of the file, where a circle would fail or depend on who is imported first."""
    edges = {name: set() for name in INSIDE}
    for name, tree in INSIDE.items():
        for statement in tree.body:
            for module, imported in imports(ast.Module([statement], [])) if is_run(statement) else ():
                for target in (f"{module}.{imported}", module):
                    if target.removeprefix("adjoint.") in INSIDE and target.startswith("adjoint."):
                        edges[name].add(target.removeprefix("adjoint."))
                        break
    while edges:
        free = [name for name, targets in edges.items() if not targets & edges.keys()]
        assert free, f"a circle among {sorted(edges)}"
        for name in free:
            del edges[name]


def is_run(statement):
    """Whether an import statement runs when the module is imported: not one for type checkers alone."""
    return isinstance(statement, (ast.Import, ast.ImportFrom))


def libraries(tree):
    known = {*sys.stdlib_module_names, "numpy", "adjoint"}
    return {module.split(".")[0] for module, _ in imports(tree)} - known


@pytest.mark.parametrize("name", INSIDE)
def test_optional_libraries_are_imported_by_few_parts_and_only_when_used(name):
    found = libraries(INSIDE[name])
    assert {library for library in found if name.split(".")[0] not in OPTIONAL.get(library, ())} == set()
    at_the_top = [ast.Module([statement], []) for statement in INSIDE[name].body if is_run(statement)]
    assert not set().union(*map(libraries, at_the_top)), "imported with the module, not when used"


def run_python(code):
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(result.stdout)


def test_importing_the_package_imports_numpy_and_nothing_else():
    loaded = run_python(
        "import sys, json\n"
        "before = set(sys.modules)\n"
        "import adjoint\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in set(sys.modules) - before})))"
    )
    assert set(loaded) - set(sys.stdlib_module_names) == {"adjoint", "numpy"}


def test_importing_the_package_leaves_slow_modules_for_when_they_are_used():
    loaded = run_python("import sys, json, adjoint; print(json.dumps(sorted(sys.modules)))")
    assert not {"adjoint.cli", "numpy.random", "argparse", "asyncio"} & set(loaded)


@pytest.mark.parametrize("part", sorted(set(HEIGHT) - {"__main__"}))
def test_each_part_can_be_imported_first(part):
    assert run_python(f"import adjoint.{part}, json; print(json.dumps(1))") == 1
