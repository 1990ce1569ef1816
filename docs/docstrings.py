"""What the docstrings of the package need to become Markdown: an extension of griffe, which reads them.

The examples in docstrings stand as plain ``>>>`` lines, which doctest runs and Markdown takes for quotations: here they
get a fence. And types that say nothing, `Any`, are left out of the lists of arguments.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

_EXAMPLE = re.compile(r"^>>> .*\n?(?:.+\n?)*", re.MULTILINE)  # up to the next empty line


class Docstrings(griffe.Extension):
    """Fences examples, and drops `Any`."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = _EXAMPLE.sub(_fenced, obj.docstring.value)

    def on_function_instance(self, *, func: griffe.Function, **_: Any) -> None:
        for parameter in func.parameters:
            if str(parameter.annotation) == "Any":
                parameter.annotation = None


def _fenced(example: re.Match[str]) -> str:
    return f"\n```pycon\n{example[0].rstrip()}\n```\n"
