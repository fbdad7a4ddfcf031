"""Texts of any length: they are broken or cut, and widen nothing."""

import pytest
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.ui.notice import NoticeBar
from studio.ui.words import Elided, Message

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
