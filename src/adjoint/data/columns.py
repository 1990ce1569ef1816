"""Columns of CSV files, read strictly: what is not a number is an error that says where it stands."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from adjoint.errors import DataError

__all__ = ["read_column"]


def read_column(path: str | os.PathLike[str], name: str) -> Any:
    """The numbers of the column `name` of a CSV file in UTF-8, whose first line names the columns.

    Returns:
        A float64 array with a number for each row.

    Raises:
        DataError: where there is no such column or no row, where a row has more or fewer fields than the first line,
            where a value is missing, not a number, not finite, and for what is not a text file. It names the file, the
            line and the column.
        OSError: where reading fails.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "sales.csv"
    >>> _ = path.write_text("year,sales\\n2023,5.5\\n2024,7\\n")
    >>> print(read_column(path, "sales"))
    [5.5 7. ]
    """
    where = os.fspath(path)
    rows = _rows(where, _text(path))
    _, header = next(rows, (0, []))
    if not header:
        raise DataError(f"{where}, line 1: empty; the first line names the columns")
    position = _position(where, header, name)
    values = []
    for line, row in rows:
        if len(row) != len(header):
            raise DataError(f"{where}, line {line}, column {name!r}: {len(row)} fields, the header has {len(header)}")
        values.append(_number(row[position], f"{where}, line {line}, column {name!r}"))
    if not values:
        raise DataError(f"{where}, line 2, column {name!r}: no rows below the header")
    return np.array(values)


def _text(path: str | os.PathLike[str]) -> str:
    with open(path, "rb") as file:
        content = file.read()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(f"{os.fspath(path)}, line {line}: not UTF-8 text") from None


def _rows(where: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the number of the line that it begins in; empty lines may stand at the end alone."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line, empty = 1, 0
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise DataError(f"{where}, line {line}: not CSV: {error}") from None
        if row is None:
            return
        if row and empty:
            raise DataError(f"{where}, line {empty}: empty, with rows below it")
        if row:
            yield line, row
        elif not empty:
            empty = line
        line = reader.line_num + 1


def _position(where: str, header: list[str], name: str) -> int:
    columns = [column.strip() for column in header]
    count = columns.count(name.strip())
    if count == 1:
        return columns.index(name.strip())
    if count:
        raise DataError(f"{where}, line 1: {count} columns are named {name!r}")
    raise DataError(f"{where}, line 1: no column {name!r}; there are {', '.join(map(repr, columns))}")


def _number(text: str, where: str) -> float:
    if not text.strip():
        raise DataError(f"{where}: empty")
    try:
        value = float(text)
    except ValueError:
        value = None
    if value is None or "_" in text:  # float() reads 1_000 as a thousand
        raise DataError(f"{where}: {text[:40]!r} is not a number")
    if not math.isfinite(value):
        raise DataError(f"{where}: {text[:40]!r} is not a finite number")
    return value
