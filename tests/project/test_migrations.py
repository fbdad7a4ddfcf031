"""Documents of older formats are brought up to the present one, newer names are kept."""

import json

import pytest

from studio.engine.errors import FormatError
from studio.project import document, edits, file
from studio.project.examples import START
from studio.project.file import Saved
from studio.project.migrations import migrated
from studio.project.values import Project, Spec


def test_older_documents_are_brought_up_step_by_step():
    steps = {
        1: lambda old: {**old, "b": old["a"] + 1},
        2: lambda old: {name: value for name, value in old.items() if name != "a"},
    }
    assert migrated({"format": 1, "a": 1}, "x", 3, steps) == {"format": 3, "b": 2}
    assert migrated({"format": 3, "b": 2}, "x", 3, steps) == {"format": 3, "b": 2}
    with pytest.raises(FormatError, match="newer"):
        migrated({"format": 4}, "x", 3, steps)


def test_documents_without_metrics_are_still_opened():
    project = edits.set_settings(START.project, epochs=7)
    old = json.loads(document.to_text(document.to_document(project)))
    del old["settings"]["metrics"]
    assert document.to_project({**old, "format": 1}, "x") == project
    for damaged in ({}, {**old, "settings": 3}, {**old, "settings": {}}):
        with pytest.raises(FormatError):
            document.to_project({**damaged, "format": 1}, "x")


def test_contrast_of_format_2_is_still_the_same():
    blocks = [
        {"id": 1, "class_name": "RandomContrast", "config": {"factor": [-0.2, 0.3], "seed": 1}},
        {"id": 2, "class_name": "Flatten", "config": {}},
        "damaged",
    ]
    found = migrated({"format": 2, "blocks": blocks}, "x")
    assert found["blocks"][0]["config"] == {"factor": [0.2, 0.3], "seed": 1}
    assert found["blocks"][1:] == blocks[1:]
    assert migrated({"format": 2, "blocks": 3}, "x")["blocks"] == 3


def test_unknown_metrics_are_kept_word_for_word():
    project = edits.set_settings(Project(), metrics=(Spec("Kappa", {"weights": [1, 2]}),))
    assert file.from_bytes(file.to_bytes(Saved(project)), "x").project == project
