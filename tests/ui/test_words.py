"""Texts of any length: they are broken or cut, and widen nothing."""

import pytest
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.project.edits import insert_block
from studio.ui.notice import NoticeBar
from studio.ui.words import Button, Elided, Message

PATH = "/home/" + "a_very_long_name" * 20 + "/network.studio"


def test_a_long_word_is_broken(qtbot):
    message = Message()
    qtbot.addWidget(message)
    message.setText(f"Cannot read {PATH}.")
    assert message.text() == f"Cannot read {PATH}."
    few = message.fontMetrics().horizontalAdvance("m" * 35)
    assert message.minimumSizeHint().width() < few
    assert message.heightForWidth(few) > 6 * message.fontMetrics().height()


def test_words_as_people_write_them_stay_whole(qtbot):
    message = Message()
    qtbot.addWidget(message)
    message.setText("GlobalAveragePooling1D takes a 3-dimensional input")
    plain = message.fontMetrics().horizontalAdvance("GlobalAveragePooling1D")
    assert message.minimumSizeHint().width() >= plain


def test_a_notice_does_not_widen_the_window(make_window):
    window = make_window()
    before = window.minimumSizeHint().width()
    window.notice.show_message(f"Cannot read {PATH}.", [("Choose another", lambda: None)])
    assert window.minimumSizeHint().width() <= before
    assert window.findChild(NoticeBar).message.text().endswith(f"{PATH}.")


def test_long_fixes_widen_neither_window_nor_panel(make_window):
    window = make_window()
    before = window.minimumSizeHint().width()
    window.resize(800, 600)
    window.document.edit("", lambda now: insert_block(now, 1, "GlobalAveragePooling2D"))
    window.train()
    assert len(window.notice.buttons) == len(window.block_panel.problem.buttons) == 3
    assert window.minimumSizeHint().width() <= before
    area = window.tabs.currentWidget()
    assert area.widget().minimumSizeHint().width() <= area.viewport().width()


def test_the_text_of_a_button_is_broken_where_there_is_no_room(qtbot):
    button = Button("Turn on keep dimensions of GlobalAveragePooling2D before it")
    qtbot.addWidget(button)
    line = button.fontMetrics().height()
    assert button.heightForWidth(3 * button.sizeHint().width()) < 3 * line
    name = button.fontMetrics().horizontalAdvance("GlobalAveragePooling2D")
    assert button.minimumSizeHint().width() < name
    assert button.heightForWidth(name) > 4 * line


@pytest.fixture
def window(qtbot) -> QWidget:
    made = QWidget()
    QVBoxLayout(made).addWidget(Elided("Epoch 3 of 1,000,000 · batch 17 of 2,000,000"))
    qtbot.addWidget(made)
    made.show()
    return made


def test_a_line_is_cut_where_there_is_no_room(window):
    line = window.findChild(Elided)
    window.resize(900, 60)
    assert line.toolTip() == ""
    window.resize(150, 60)
    assert line.width() < 150
    assert line.toolTip() == line.text()
    line.setText("Done")
    assert line.toolTip() == ""


def test_what_is_cut_is_not_seen(window):
    line = window.findChild(Elided)
    window.resize(110, 60)
    pictures = []
    for text in ("Finished with validation 0.9", "Finished · its validation 0.9", "Finished 0.8"):
        line.setText(text)
        pictures.append(line.grab().toImage())
    # The first two differ only in the middle.
    assert pictures[0] == pictures[1] != pictures[2]
