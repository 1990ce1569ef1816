"""The program as a process: streams, signals, terminals, and what it imports."""

import os
import re
import signal
import subprocess
import sys

import pytest

import adjoint
from adjoint.cli import progress

SINE = ("lstm", "-N", 40, "--batch-size", 4, "--hidden-size", 5, "--bptt-length", 4, "--seed", 1)
LONG = (*SINE, "--epochs", 1_000_000)

posix = pytest.mark.skipif(os.name != "posix", reason="signals and terminals are those of POSIX")


class TestHelp:
    def test_version(self, program):
        run = program("--version")
        assert (run.status, run.out, run.err) == (0, f"adjoint {adjoint.__version__}\n", "")

    @pytest.mark.parametrize("words", [["--help"], ["lstm", "--help"], ["dot", "--help"]])
    def test_help_has_an_example_and_is_plain(self, program, words):
        run = program(*words)
        assert (run.status, run.err) == (0, "")
        assert re.search(r"^examples?:\n  adjoint ", run.out, re.MULTILINE)
        assert run.out.isascii()
        assert max(map(len, run.out.splitlines())) <= 120

    def test_as_a_module(self):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        run = subprocess.run(
            [sys.executable, "-m", "adjoint", "--version"], capture_output=True, text=True, env=environment, check=True
        )
        assert run.stdout == f"adjoint {adjoint.__version__}\n"


class TestStreams:
    def test_the_same_in_another_process(self, start, program):
        process = start(*SINE, "--epochs", 3)
        out, err = process.communicate()
        assert (process.returncode, out, err) == program(*SINE, "--epochs", 3)

    @posix
    @pytest.mark.parametrize("unbuffered", ["", "1"])
    @pytest.mark.parametrize("words", [(*SINE, "--epochs", 1, "--quiet"), ("dot",), ("--help",)])
    def test_a_closed_pipe_is_no_error(self, start, words, unbuffered, monkeypatch):
        monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
        read, write = os.pipe()
        os.close(read)
        process = start(*words, stdout=write)
        os.close(write)
        _, err = process.communicate()
        assert err == ""
        assert process.returncode == 141 or words == ("--help",)  # argparse passes over the error

    @posix
    def test_a_closed_pipe_for_the_losses(self, start):
        read, write = os.pipe()
        os.close(read)
        process = start(*LONG, stderr=write)
        os.close(write)
        out, _ = process.communicate()
        assert (process.returncode, out) == (141, "")

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
    def test_a_full_disk(self, start):
        with open("/dev/full", "w") as full:
            process = start(*SINE, "--epochs", 1, "--quiet", stdout=full)
            _, err = process.communicate()
        assert (process.returncode, err) == (2, "adjoint lstm: standard output: No space left on device\n")

    def test_without_standard_error_nothing_else_is_on_standard_output(self, start):
        process = start(*SINE, "--epochs", 2, before="sys.stderr = None")
        out, _ = process.communicate()
        assert process.returncode == 0
        assert out.startswith("x,y\n0,")

    def test_without_standard_output(self, start):
        process = start(*SINE, "--epochs", 1, "--quiet", before="sys.stdout = None")
        out, err = process.communicate()
        assert (process.returncode, out, err) == (0, "", "")


@posix
class TestCtrlC:
    def interrupt(self, start, *words, after=3):
        process = start(*LONG, *words)
        for line in process.stderr:
            if f" {after}:" in line:
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        return process.returncode, out, err.splitlines()

    def test_finishes_with_what_is_there(self, start, program):
        status, out, err = self.interrupt(start, "--save", "model", "--plot", "p.png")
        assert status == 130
        told = re.fullmatch(
            r"adjoint lstm: interrupted after epoch (\d+) of 1000000; "
            r"the parameters as of update (\d+) are saved to model",
            err[-1],
        )
        epochs, updates = int(told[1]), int(told[2])
        assert epochs >= 3
        assert 3 * epochs <= updates < 3 * (epochs + 1)
        assert out == program(*SINE, "--load", "model", "--epochs", 0).out
        assert os.path.exists("p.png")

    def test_without_a_file(self, start):
        status, out, err = self.interrupt(start)
        assert status == 130
        assert err[-1].endswith("are used for the forecast")
        assert len(out.splitlines()) == 41

    def test_a_second_one_ends_at_once(self, start):
        hold = "from adjoint.cli import lstm; lstm.forecast = lambda *_: __import__('time').sleep(60)"
        process = start(*LONG, before=hold)
        for line in process.stderr:
            if " 2:" in line:
                process.send_signal(signal.SIGINT)
            if "interrupted after" in line:
                process.send_signal(signal.SIGINT)
                break
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (130, "", "adjoint lstm: interrupted\n")

    def test_the_handler_is_restored(self):
        before = signal.getsignal(signal.SIGINT)
        with progress.Interrupt() as interrupt:
            signal.raise_signal(signal.SIGINT)
            assert interrupt.requested
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is before

    def test_a_handler_of_another_stays(self):
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            with progress.Interrupt() as interrupt:
                signal.raise_signal(signal.SIGINT)
            assert not interrupt.requested
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        finally:
            signal.signal(signal.SIGINT, before)


@posix
class TestTerminal:
    def on_terminal(self, start, *words, columns=100, **settings):
        import pty
        import termios

        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, columns))
        process = start(*SINE, "--epochs", 5, *words, stderr=theirs, **settings)
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            shown += part
        os.close(ours)
        out, _ = process.communicate()
        assert process.returncode == 0
        assert len(out.splitlines()) == 41
        return shown.decode()

    @pytest.mark.parametrize("columns", [100, 40, 0])
    def test_shows_a_bar(self, start, columns):
        shown = self.on_terminal(start, columns=columns)
        assert "5/5" in shown
        assert "loss 0." in shown or columns == 40
        assert "epoch 1:" not in shown
        assert max(map(len, re.split("[\r\n]", shown))) <= (columns or 80)

    def test_shows_lines_without_tqdm(self, start):
        shown = self.on_terminal(start, before="sys.modules['tqdm'] = None")
        assert [line.split(":")[0] for line in shown.splitlines()] == [f"epoch {i}" for i in range(1, 6)]

    def test_shows_nothing_when_quiet(self, start):
        assert self.on_terminal(start, "--quiet") == ""


@pytest.mark.parametrize("words", [("--version",), ("lstm", "--help"), (*SINE, "--epochs", 1), ("dot",)])
def test_heavy_libraries_are_imported_only_when_used(start, words):
    names = "{'matplotlib', 'tqdm', 'safetensors'}"
    process = start(*words, before=f"import atexit; atexit.register(lambda: print(sorted({names} & set(sys.modules))))")
    out, _ = process.communicate()
    assert out.splitlines()[-1] == "[]"
