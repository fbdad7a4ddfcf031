"""Messages are one short line, whatever they quote."""

import pytest

from studio.engine.errors import FormatError, StudioError, unknown_name
from studio.engine.layers import registry as layers


@pytest.mark.parametrize("odd", ["a\nb", "a\r\x1b[31mb", "a\u2028b", "\ud800"])
def test_what_cannot_be_printed_is_told_as_an_escape(odd):
    text = str(StudioError("a name", odd, f"block 1 ({odd})").at(odd))
    assert text.isprintable()
    assert "\\" in text


def test_what_is_long_is_cut():
    long = "9" * 100_000
    error = FormatError("a number", long, long)
    assert len(str(error.at(long))) < 500
    with pytest.raises(StudioError) as found:
        layers.find(long)
    assert len(str(found.value)) < 500


def test_known_names_are_listed_as_far_as_they_fit_a_line():
    assert "Known: a, b." in str(unknown_name("zz", "ab", "a letter"))
    many = [f"name{number}" for number in range(100)]
    assert str(unknown_name("other", many, "one")).endswith("name3, name30, ….")
