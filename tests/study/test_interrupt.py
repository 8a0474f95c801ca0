"""Handlers of signals while a study runs, and after."""

import signal

from deepwell.study._interrupt import interruptible


def test_handlers_of_the_program_that_runs_python_inside_stay(monkeypatch):
    """Python does not know them: it gives None in their place, and takes no None."""
    handlers = {signal.SIGINT: None, signal.SIGTERM: signal.SIG_DFL}

    def install(number, handler):
        if handler is None:
            raise TypeError("signal handler must be signal.SIG_IGN, signal.SIG_DFL, or callable")
        old, handlers[number] = handlers[number], handler
        return old

    monkeypatch.setattr(signal, "signal", install)
    monkeypatch.setattr(signal, "getsignal", handlers.get)
    with interruptible() as interrupt:
        assert handlers == {signal.SIGINT: None, signal.SIGTERM: interrupt.handle}
    assert handlers == {signal.SIGINT: None, signal.SIGTERM: signal.SIG_DFL}
