"""The choice of how many threads train, and that they stand back behind the window."""

import os
import sys
import threading

import pytest
from PySide6.QtWidgets import QMenu

from studio.engine.parallel import Workers
from studio.ui import runner, thread_choice
from studio.ui.thread_choice import KEY, ThreadChoice

on_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="Only Linux lets a thread be nicer than its process."
)


def test_the_menu_offers_each_number_and_the_choice_is_kept(make_window, settings, monkeypatch):
    monkeypatch.setattr(thread_choice, "cores", lambda: 4)
    window = make_window()
    menu = QMenu()
    window.threads.fill(menu)
    assert [action.text() for action in menu.actions()] == ["1", "2", "3", "All processors (4)"]
    assert [action.isChecked() for action in menu.actions()] == [False, False, False, True]
    menu.actions()[1].trigger()
    window.threads.fill(menu)
    assert [action.isChecked() for action in menu.actions()] == [False, True, False, False]
    assert ThreadChoice(settings).count == 2


def test_a_run_has_the_chosen_threads(make_window, qtbot, iris, monkeypatch):
    monkeypatch.setattr(thread_choice, "cores", lambda: 4)
    window = make_window(iris)
    window.threads.choose(3)
    window.train()
    assert window.runner._thread.threads == 3
    qtbot.waitUntil(lambda: not window.runner.running, timeout=20_000)


@on_linux
def test_threads_that_train_stand_back(make_window, qtbot, iris, monkeypatch):
    found = []

    def watched(*arguments):
        found.append(niceness())
        return train(*arguments)

    train, before = runner.train, niceness()
    monkeypatch.setattr(runner, "train", watched)
    window = make_window(iris)
    window.train()
    qtbot.waitUntil(lambda: not window.runner.running, timeout=20_000)
    assert found == [max(before, runner.NICENESS)]
    assert niceness() == before


@on_linux
def test_so_do_those_that_help_them():
    found = []

    def train():
        runner.stand_back()
        with Workers(2) as workers:
            workers.beside(lambda: found.append(niceness()))()

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert found == [max(niceness(), runner.NICENESS)]


def niceness() -> int:
    """Of the calling thread."""
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_what_does_not_fit_this_computer_is_all_processors(settings, monkeypatch):
    monkeypatch.setattr(thread_choice, "cores", lambda: 4)
    for stored in ("9", "-1", "many", None):
        settings.setValue(KEY, stored)
        assert ThreadChoice(settings).count == 4
