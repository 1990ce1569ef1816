"""Columns of CSV files: what is read, and what each error names."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from adjoint import data
from adjoint.errors import DataError


@pytest.fixture
def write(tmp_path):
    """Writes a file and returns its path."""

    def write(content):
        path = tmp_path / "series.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


class TestReads:
    @pytest.mark.parametrize(
        ("content", "values"),
        [
            ("year,sales\n2023,5.5\n2024,7\n", [5.5, 7.0]),
            ("sales\n1\n2\n3", [1.0, 2.0, 3.0]),
            ("sales\r\n1\r\n2\r\n", [1.0, 2.0]),
            ("sales\r1\r2\r", [1.0, 2.0]),
            ("\ufeffsales,b\n1,x\n", [1.0]),
            ('"sales"\n"1"\n"-2.5e3"\n', [1.0, -2500.0]),
            (" sales , b\n 1 , 2\n", [1.0]),
            ('b,sales\n"two\nlines",4\n', [4.0]),
            ("sales\n1\n\n\n", [1.0]),
        ],
    )
    def test_numbers_of_the_column(self, write, content, values):
        column = data.read_column(write(content), "sales")
        assert column.dtype == np.float64
        assert column.tolist() == values

    def test_paths_as_text(self, write):
        assert data.read_column(str(write("a\n1\n")), "a").tolist() == [1.0]

    @given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
    def test_every_bit(self, tmp_path_factory, values):
        path = tmp_path_factory.mktemp("columns") / "a.csv"
        path.write_text("a\n" + "\n".join(map(repr, values)))
        assert data.read_column(path, "a").tolist() == values


class TestRefuses:
    @pytest.mark.parametrize(
        ("content", "text"),
        [
            ("a,b\n1,2\n", "line 1: no column 'sales'; there are 'a', 'b'"),
            ("Sales\n1\n", "line 1: no column 'sales'; there are 'Sales'"),
            ("sales,sales\n1,2\n", "line 1: 2 columns are named 'sales'"),
            ("", "line 1: empty; the first line names the columns"),
            ("\n\n", "line 1: empty; the first line names the columns"),
            ("\nsales\n1\n", "line 1: empty, with rows below it"),
            ("sales\n", "line 2, column 'sales': no rows below the header"),
            ("sales\n1\ntwo\n", "line 3, column 'sales': 'two' is not a number"),
            ("sales\n1\n1_000\n", "line 3, column 'sales': '1_000' is not a number"),
            ('sales\n"1,5"\n', "line 2, column 'sales': '1,5' is not a number"),
            ("a,sales\n1,\n", "line 2, column 'sales': empty"),
            ("a,sales\n1,  \n", "line 2, column 'sales': empty"),
            ("sales\nnan\n", "line 2, column 'sales': 'nan' is not a finite number"),
            ("sales\n1\n2\n-Infinity\n", "line 4, column 'sales': '-Infinity' is not a finite number"),
            ("sales\n1e999\n", "line 2, column 'sales': '1e999' is not a finite number"),
            ("sales\n1\n\n3\n", "line 3: empty, with rows below it"),
            ("a,sales\n1,2\n3\n", "line 3, column 'sales': 1 fields, the header has 2"),
            ("sales\n1,5\n", "line 2, column 'sales': 2 fields, the header has 1"),
            ('a,sales\n"two\nlines",4\n5,x\n', "line 4, column 'sales': 'x' is not a number"),
            ('sales\n1\n"2\n3\n', "line 3: not CSV: unexpected end of data"),
            (b"sales\n1\n\xff\n", "line 3: not UTF-8 text"),
            (b"\xff\xfes\x00a\x00", "line 1: not UTF-8 text"),
            ("sales\n1\x00\n", r"line 2, column 'sales': '1\x00' is not a number"),
        ],
    )
    def test_names_file_line_and_column(self, write, content, text):
        path = write(content)
        with pytest.raises(DataError) as caught:
            data.read_column(path, "sales")
        assert caught.value.message == f"{path}, {text}"

    def test_a_long_text_is_cut(self, write):
        with pytest.raises(DataError) as caught:
            data.read_column(write("a\n" + "x" * 1000), "a")
        assert len(caught.value.message) < 300

    def test_a_file_that_is_not_there(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            data.read_column(tmp_path / "none.csv", "a")

    def test_a_directory(self, tmp_path):
        with pytest.raises(OSError, match="irectory"):
            data.read_column(tmp_path, "a")


@pytest.mark.parametrize(
    ("name", "column", "count", "first", "last"),
    [("co2", "co2", 2284, 316.1, 371.5), ("sunspots", "SUNACTIVITY", 309, 5.0, 2.9)],
)
def test_the_series_of_the_examples(pytestconfig, name, column, count, first, last):
    values = data.read_column(pytestconfig.rootpath / "examples" / "data" / f"{name}.csv", column)
    assert (len(values), values[0], values[-1]) == (count, first, last)
