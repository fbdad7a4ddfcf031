"""The parts of the window side by side, in wide windows and narrow ones."""

import pytest
from PySide6.QtWidgets import QLabel, QWidget

from studio.ui.head import Head
from studio.ui.legend import Legend
from studio.ui.panels import Panels
from studio.ui.plots import ClassPlot


@pytest.fixture
def panels(qtbot) -> Panels:
    made = Panels([QWidget() for _ in range(3)], usual=(10, 20, 10), least=(5, 10, 5), growing=1)
    qtbot.addWidget(made)
    made.show()
    return made


def widths(panels: Panels) -> list[int]:
    return [round(size / panels.fontMetrics().height()) for size in panels.sizes()]


def resize(panels: Panels, lines: float) -> None:
    panels.resize(round(lines * panels.fontMetrics().height()) + 2, 100)


@pytest.mark.parametrize(
    ("lines", "expected"), [(40, [10, 20, 10]), (60, [10, 40, 10]), (30, [8, 15, 8])]
)
def test_all_parts_give_up_some_of_their_width(panels, lines, expected):
    resize(panels, lines)
    assert widths(panels) == pytest.approx(expected, abs=1)
    assert panels.chosen_widths() is None


def test_chosen_widths_stay(panels):
    resize(panels, 60)
    panels.moveSplitter(round(20 * panels.fontMetrics().height()), 1)
    assert panels.chosen_widths() is not None
    resize(panels, 70)
    assert widths(panels) == pytest.approx([20, 40, 10], abs=1)
    panels.choose_widths([12, 45, 13])
    assert panels.chosen_widths() == pytest.approx([12, 45, 13], abs=1)


def test_chosen_widths_are_kept_for_the_next_time(make_window):
    window = make_window()
    window.close()
    assert make_window().panels.chosen_widths() is None
    again = make_window()
    again.panels.choose_widths([15, 30, 25, 20])
    before = again.panels.sizes()
    again.close()
    assert make_window().panels.sizes() == pytest.approx(before, abs=2)


def test_the_end_of_a_line_stands_below_where_there_is_no_room(qtbot):
    start, hidden, end = QLabel("How it goes"), QLabel("Not shown at all"), QLabel("12 s left")
    hidden.hide()
    window = QWidget()
    head = Head([start, hidden], end)
    head.setParent(window)
    qtbot.addWidget(window)
    window.show()
    head.resize(400, 60)
    assert end.y() == start.y()
    assert end.geometry().right() == head.rect().right()
    head.resize(start.sizeHint().width() + end.sizeHint().width() // 2, 60)
    qtbot.waitUntil(lambda: end.y() > start.y())
    end.setText("")
    qtbot.waitUntil(lambda: end.y() == start.y())


def test_names_of_classes_are_cut_where_there_is_no_room(qtbot):
    plot = ClassPlot()
    qtbot.addWidget(plot)
    plot.start(("setosa", "versicolor", "virginica"))

    def shown() -> list[str]:
        return [name for _, name in plot.item.getAxis("bottom")._tickLevels[0]]

    plot.resize(900, 200)
    plot.show()
    qtbot.waitUntil(lambda: shown() == ["setosa", "versicolor", "virginica"])
    room = plot.fontMetrics().horizontalAdvance("versicolor")
    plot.resize(int(4.2 * room), 200)
    qtbot.waitUntil(lambda: shown()[1].endswith("…"))
    assert shown()[0] == "setosa"
    metrics, widest = plot.fontMetrics(), plot.item.getViewBox().width() / 4.2
    assert all(metrics.horizontalAdvance(name) < widest for name in shown())


def test_the_last_values_are_never_cut(qtbot):
    legend = Legend("●")
    qtbot.addWidget(legend)
    legend.show()
    entries = [("#ff0000", "training 0.125"), ("#00ff00", "validation 0.1208")]
    legend.resize(400, 20)
    legend.show_entries(entries)
    assert "validation 0.1208" in legend.text()
    assert not legend.toolTip()
    legend.resize(legend.sizeHint().width() - 1, 20)
    assert "validation" not in legend.text()
    assert "0.125" in legend.text()
    assert "0.1208" in legend.text()
    assert QLabel.sizeHint(legend).width() <= legend.width()
    assert legend.sizeHint().width() > legend.width()
    assert "validation 0.1208" in legend.toolTip()
    legend.resize(400, 20)
    assert "validation 0.1208" in legend.text()
