"""The modes: nesting, decorating, and apart from one another in threads and tasks."""

from __future__ import annotations

import asyncio
import threading

import pytest

import adjoint as ad
from adjoint import Variable, functions as F
from adjoint.config import STRICT, is_recording, is_training, recording_mode
from adjoint.errors import DTypeError

SWITCHES = [(ad.no_grad, is_recording), (ad.test_mode, is_training), (ad.strict_ieee, lambda: not STRICT.get())]


@pytest.mark.parametrize(("switch", "state"), SWITCHES, ids=["no_grad", "test_mode", "strict_ieee"])
class TestSwitch:
    def test_block_switches_off_and_back_on(self, switch, state):
        assert state()
        with switch():
            assert not state()
        assert state()

    def test_blocks_nest_and_restore_what_was_there(self, switch, state):
        with switch():
            with switch():
                assert not state()
            assert not state()
        assert state()

    def test_error_restores_what_was_there(self, switch, state):
        with pytest.raises(KeyError), switch(), switch():
            raise KeyError
        assert state()

    def test_one_block_may_be_entered_again_and_within_itself(self, switch, state):
        block = switch()
        for _ in range(2):
            with block:
                with block:
                    assert not state()
                assert not state()
            assert state()

    def test_decorator_with_and_without_parentheses(self, switch, state):
        @switch
        def bare():
            return state()

        @switch()
        def called():
            return state()

        assert not bare()
        assert not called()
        assert state()

    def test_decorated_function_keeps_its_name_and_arguments(self, switch, state):
        @switch
        def function(a, *, b=2):
            """Says so."""
            return a, b, state()

        assert function(1, b=3) == (1, 3, False)
        assert (function.__name__, function.__doc__) == ("function", "Says so.")

    def test_decorated_function_may_recurse_and_fail(self, switch, state):
        @switch
        def countdown(n):
            if n == 0:
                raise KeyError
            assert not state()
            countdown(n - 1)

        with pytest.raises(KeyError):
            countdown(3)
        assert state()

    def test_decorated_method(self, switch, state):
        class Thing:
            @switch
            def method(self):
                return self, state()

        thing = Thing()
        assert thing.method() == (thing, False)

    def test_generators_and_coroutines_are_refused(self, switch, state):
        def generator():
            yield state()

        async def coroutine():
            return state()

        async def stream():
            yield state()

        for function in (generator, coroutine, stream):
            with pytest.raises(DTypeError, match=rf"'{function.__name__}'.*`with`"):
                switch(function)
            with pytest.raises(DTypeError, match="`with`"):
                switch()(function)

    def test_threads_do_not_see_one_anothers(self, switch, state):
        inside, release = threading.Event(), threading.Event()
        seen = {}

        def worker():
            seen["at the start"] = state()
            with switch():
                inside.set()
                release.wait(10)
                seen["in the block"] = state()
            seen["after it"] = state()

        with switch():
            thread = threading.Thread(target=worker)
            thread.start()
            assert inside.wait(10)
        assert state()
        release.set()
        thread.join()
        assert seen == {"at the start": True, "in the block": False, "after it": True}

    def test_tasks_do_not_see_one_anothers(self, switch, state):
        async def inside(entered, release):
            with switch():
                entered.set()
                await release.wait()
                return state()

        async def main():
            entered, release = asyncio.Event(), asyncio.Event()
            task = asyncio.create_task(inside(entered, release))
            await entered.wait()
            outside = state()
            release.set()
            return outside, await task, state()

        assert asyncio.run(main()) == (True, False, True)


def test_one_block_may_be_shared_by_threads():
    block = ad.no_grad()
    inside, release = threading.Event(), threading.Event()

    def worker():
        with block:
            inside.set()
            release.wait(10)

    thread = threading.Thread(target=worker)
    with ad.no_grad():
        with block:
            thread.start()
            assert inside.wait(10)
        left = is_recording()
    release.set()
    thread.join()
    assert not left


def test_no_grad_records_nothing():
    x = Variable(2.0)
    with ad.no_grad():
        y = x * x
    assert y.creator is None
    assert y.item() == 4.0
    assert (x * y).creator is not None


def test_no_grad_records_none_of_several_outputs():
    with ad.no_grad():
        h, c = F.lstm_cell(Variable([0.0, 0.0, 0.0, 1.0]))
    assert h.creator is c.creator is None


def test_modes_are_apart():
    with ad.no_grad():
        assert is_training()
    with ad.test_mode():
        assert (Variable(1.0) * 2.0).creator is not None


def test_recording_can_be_switched_on_within_no_grad():
    with ad.no_grad():
        with recording_mode(True):
            y = Variable(2.0) * 3.0
        assert not is_recording()
    assert y.creator is not None


def test_graph_made_before_can_be_swept_within_no_grad():
    x = Variable(2.0)
    y = x * x
    with ad.no_grad():
        y.backward()
    assert x.grad.item() == 4.0


def test_backward_leaves_the_modes_as_they_were():
    x = Variable(2.0)
    (x * x).backward(create_graph=True)
    assert is_recording()
    y = x**3
    with ad.no_grad():
        y.backward(create_graph=True)
        assert not is_recording()


def test_mode_leaks_are_noticed():
    """What the fixture for all tests relies on: a mode that is set stays set until it is reset."""
    token = ad.config.TRAINING.set(False)
    assert F.dropout(x := Variable([1.0])) is x
    ad.config.TRAINING.reset(token)
