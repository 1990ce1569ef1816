"""Wrong input: one line that says what is wrong, status 2, nothing on standard output, no file."""

import importlib.util
import os
import sys

import numpy as np
import pytest

from adjoint.cli import outputs

GOOD = "t,a\n" + "\n".join(f"{i},{i * i % 7}" for i in range(60))
FILES = {
    "good.csv": GOOD,
    "text.csv": "a\n1\ntwo\n3\n",
    "nan.csv": "a\n1\nnan\n3\n",
    "gap.csv": "t,a\n1,2\n2,\n",
    "short.csv": "a\n" + "1\n2\n" * 10,
    "two.csv": "a\n1\n2\n",
    "constant.csv": "a\n" + "1\n" * 60,
    "header.csv": "a\n",
    "latin.csv": "größe\n1\n".encode("latin-1"),
    "wrong.safetensors": "not parameters",
}
A = "--column a"
SMALL = "--epochs 1 --batch-size 2 --hidden-size 3"

WRONG = [
    # files to read
    (f"--data none.csv {A}", "none.csv: No such file or directory"),
    (f"--data . {A}", ".: Is a directory"),
    ("--data good.csv --column b", "good.csv, line 1: no column 'b'; there are 't', 'a'"),
    (f"--data text.csv {A}", "text.csv, line 3, column 'a': 'two' is not a number"),
    (f"--data nan.csv {A}", "nan.csv, line 3, column 'a': 'nan' is not a finite number"),
    (f"--data gap.csv {A}", "gap.csv, line 3, column 'a': empty"),
    (f"--data header.csv {A}", "header.csv, line 2, column 'a': no rows below the header"),
    (f"--data latin.csv {A}", "latin.csv, line 1: not UTF-8 text"),
    (f"--data two.csv {A}", "two.csv, column 'a': 2 values are too few to train on and to forecast"),
    (
        f"--data constant.csv {A}",
        "constant.csv, column 'a': the training part, the first 48 values, is constant: there is nothing to learn",
    ),
    (f"--data short.csv {A}", "short.csv, column 'a': 15 steps to train on are too few for --batch-size 30"),
    ("-N 30", "the sine (-N): 29 steps to train on are too few for --batch-size 30"),
    (f"--load none {SMALL}", "none: No such file or directory"),
    (f"--load wrong.safetensors {SMALL}", "wrong.safetensors: not a safetensors file: "),
    ("--load other --batch-size 2 --hidden-size 4", "other: 'l"),
    # numbers
    ("-N 2", "argument -N: 2 is too small; it is at least 3"),
    ("-N 2.5", "argument -N: '2.5' is not a whole number"),
    ("-N 99999999999", "argument -N: 99999999999 is too large; it is at most 1000000000"),
    ("--epochs 0", "--epochs 0 trains nothing; it needs the parameters of a --load"),
    ("--epochs -1", "argument --epochs: -1 is too small; it is at least 0"),
    ("--batch-size 0", "argument --batch-size: 0 is too small; it is at least 1"),
    ("--hidden-size 0", "argument --hidden-size: 0 is too small; it is at least 1"),
    ("--bptt-length 0", "argument --bptt-length: 0 is too small; it is at least 1"),
    ("--learning-rate 0", "argument --learning-rate: 0 is not above 0"),
    ("--learning-rate -0.1", "argument --learning-rate: -0.1 is not above 0"),
    ("--learning-rate nan", "argument --learning-rate: 'nan' is not a finite number"),
    ("--learning-rate inf", "argument --learning-rate: 'inf' is not a finite number"),
    ("--learning-rate fast", "argument --learning-rate: 'fast' is not a number"),
    ("--noise -0.1", "argument --noise: -0.1 is below 0"),
    ("--noise nan", "argument --noise: 'nan' is not a finite number"),
    ("--seed -1", "argument --seed: -1 is too small; it is at least 0"),
    ("--seed x", "argument --seed: 'x' is not a whole number"),
    (f"-N 40 {SMALL} --noise 1e300 --quiet", "the loss of epoch 1 is nan: --learning-rate or --noise is too large"),
    # options that do not go together
    ("--data good.csv", "--data needs --column: a series is a column of a file"),
    ("--column a", "--column needs --data: a series is a column of a file"),
    (f"--data good.csv {A} -N 50", "-N and --noise are for the sine; leave them out with --data"),
    (f"--data good.csv {A} --noise 0", "-N and --noise are for the sine; leave them out with --data"),
    ("--save p.png --plot p.png", "--save and --plot name the same file, p.png"),
    (f"--data good.csv {A} --save ./good.csv", "--data and --save name the same file, ./good.csv"),
    # files to write
    ("--save none/model", "--save none/model: there is no directory "),
    ("--plot none/p.png", "--plot none/p.png: there is no directory "),
    ("--save good.csv/model", "--save good.csv/model: there is no directory "),
    ("--save .", "--save .: there is a directory or a device of this name"),
    (f"--save {os.devnull}", f"--save {os.devnull}: there is a directory or a device of this name"),
    ("--plot p.txt", "--plot p.txt: the name ends in .png or .svg or .pdf"),
    ("--plot p", "--plot p: the name ends in .png or .svg or .pdf"),
    # words
    ("--frobnicate 3", "unknown arguments: --frobnicate 3"),
    ("--epoch 3", "unknown arguments: --epoch 3"),
    ("stray", "unknown arguments: stray"),
    ("--epochs", "argument --epochs: expected one argument"),
]


@pytest.fixture
def listing(program, tmp_path):
    """The files in the directory of the run, with their contents."""
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    program("lstm", "-N", 9, "--epochs", 1, "--batch-size", 2, "--hidden-size", 3, "--save", "other", "--seed", 0)
    return lambda: {path.name: path.read_bytes() for path in tmp_path.rglob("*")}


def check(run, command, text):
    assert (run.status, run.out) == (2, "")
    assert run.err.startswith(f"{command}: {text}")
    assert run.err.count("\n") == 1
    assert run.err.endswith("\n")


@pytest.mark.parametrize(("words", "text"), WRONG, ids=[words for words, _ in WRONG])
def test_lstm(program, listing, words, text):
    before = listing()
    check(program("lstm", *words.split()), "adjoint lstm", text)
    assert listing() == before


@pytest.mark.parametrize(
    ("words", "command", "text"),
    [
        ("dot --func sinus", "adjoint dot", "argument --func: invalid choice: 'sinus'"),
        ("dot --order -1", "adjoint dot", "argument --order: -1 is too small; it is at least 0"),
        ("dot --order 1.5", "adjoint dot", "argument --order: '1.5' is not a whole number"),
        ("dot --x nan", "adjoint dot", "argument --x: 'nan' is not a finite number"),
        ("dot --func log --x 0", "adjoint dot", "--x 0.0: log takes numbers above 0"),
        ("dot tanh", "adjoint dot", "unknown arguments: tanh"),
        ("", "adjoint", "the following arguments are required: COMMAND"),
        ("lstn", "adjoint", "argument COMMAND: invalid choice: 'lstn'"),
    ],
)
def test_other_words(program, words, command, text):
    check(program(*words.split()), command, text)


def test_a_directory_that_cannot_be_written(program, monkeypatch):
    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(outputs.tempfile, "TemporaryFile", refuse)
    check(program("lstm", "--save", "model"), "adjoint lstm", "--save model: cannot write to ")


def test_a_failure_while_writing(program, listing, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device", "model")

    monkeypatch.setattr(os, "replace", refuse)
    before = listing()
    run = program("lstm", "-N", 40, *SMALL.split(), "--quiet", "--save", "model")
    check(run, "adjoint lstm", "model: No space left on device")
    assert listing() == before


def test_sizes_beyond_the_memory(program, monkeypatch):
    def refuse(*_, **__):
        raise MemoryError

    monkeypatch.setattr(np, "linspace", refuse)
    check(program("lstm"), "adjoint lstm", "not enough memory for these sizes")


@pytest.mark.parametrize(
    ("option", "module", "text"),
    [
        ("--plot p.png", "matplotlib.figure", "--plot needs the matplotlib library: pip install 'adjoint[cli]'"),
        ("--save model", "safetensors", "--save needs the safetensors library: pip install 'adjoint[files]'"),
        ("--load good.csv", "safetensors", "saving and loading parameters needs the safetensors library"),
    ],
)
def test_a_library_that_is_not_installed(program, listing, monkeypatch, option, module, text):
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    if module == "safetensors":
        assert importlib.util.find_spec(module) is None
    before = listing()
    check(program("lstm", *SMALL.split(), *option.split()), "adjoint lstm", text)
    assert listing() == before


def test_a_message_of_several_lines_is_told_in_one(program):
    check(program("lstm", "--data", "a\nb", "--column", "c"), "adjoint lstm", "a b: No such file or directory")
    check(program("lstm", "a\nb"), "adjoint lstm", "unknown arguments: a b")
