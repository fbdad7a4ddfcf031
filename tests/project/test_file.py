"""Files round trip, and a damaged one gets a message instead of a crash."""

import io
import json
import os
import random
import zipfile
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.errors import FormatError, StudioError
from studio.project import document, edits, file, table
from studio.project.file import Saved
from studio.project.trained import Trained
from studio.project.values import Block, DataChoice, Project, Settings, Spec

WHOLE = st.integers(1 - 2**53, 2**53 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | WHOLE | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
CONFIGS = st.dictionaries(st.text(), JSON, max_size=3)
SPECS = st.builds(Spec, st.text(), CONFIGS)
PROJECTS = st.builds(
    Project,
    st.lists(
        st.builds(Block, st.integers(1, 2**50), SPECS), max_size=4, unique_by=lambda block: block.id
    ).map(tuple),
    st.builds(DataChoice, st.text(), CONFIGS),
    st.builds(
        Settings,
        SPECS,
        SPECS,
        WHOLE,
        WHOLE,
        st.floats(allow_nan=False),
        WHOLE | st.text(),
        st.lists(SPECS, max_size=3).map(tuple),
    ),
)


def example() -> Saved:
    project = Project()
    for name in ("Conv2D", "Flatten", "Dense"):
        project = edits.insert_block(project, len(project.blocks), name)
    trained = Trained(
        project,
        {"dense/kernel": np.arange(12, dtype=np.float32).reshape(3, 4), "dense/bias": np.zeros(4)},
        {"epoch": np.array([1.0, 2.0]), "loss": np.array([0.1, np.nan])},
        {
            "seconds": 1.25,
            "steps": 10,
            "figures": {"loss": 0.5, "val_loss": None},
            "classes": [{"name": "α", "precision": 1.0, "recall": 0.5, "f1": 0.7, "support": 4}],
        },
    )
    return Saved(edits.set_settings(project, epochs=9), trained)


@given(PROJECTS)
def test_any_project_round_trips(project: Project):
    assert file.from_bytes(file.to_bytes(Saved(project)), "x").project == project


def test_trained_project_round_trips(tmp_path):
    saved = example()
    file.save(tmp_path / "a.studio", saved)
    found = file.load(tmp_path / "a.studio")
    assert found.project == saved.project
    assert found.trained is not None and saved.trained is not None
    assert found.trained.project == saved.trained.project
    assert list(found.trained.weights) == list(saved.trained.weights)
    for name, value in saved.trained.weights.items():
        np.testing.assert_array_equal(found.trained.weights[name], value)
        assert found.trained.weights[name].dtype == value.dtype
    for name, value in saved.trained.history.items():
        np.testing.assert_array_equal(found.trained.history[name], value)
    assert found.trained.report == saved.trained.report


def test_equal_values_make_equal_bytes():
    assert file.to_bytes(example()) == file.to_bytes(example())


def test_text_is_indented_and_starts_with_the_format():
    with zipfile.ZipFile(io.BytesIO(file.to_bytes(example()))) as archive:
        assert archive.namelist() == [
            "project.json",
            "weights.safetensors",
            "history.csv",
            "report.json",
        ]
        assert archive.read("project.json").startswith(b'{\n  "format": 3,\n  "blocks": [\n    {\n')
        assert archive.read("history.csv") == b"epoch,loss\n1,0.1\n2,\n"


def test_trained_project_says_whether_it_still_describes_the_stack():
    saved = example()
    assert saved.trained is not None
    assert saved.trained.describes(saved.project)
    assert not saved.trained.describes(edits.set_param(saved.project, 3, "units", 7))


def test_trained_arrays_are_frozen_copies():
    source = np.zeros(3)
    trained = Trained(Project(), {"a": source}, {}, {})
    source[0] = 1
    assert trained.weights["a"][0] == 0
    with pytest.raises(ValueError, match="read-only"):
        trained.weights["a"][0] = 1


def test_unknown_block_is_kept_word_for_word():
    project = Project((Block(4, Spec("QuantumDense", {"qubits": [1, {"deep": None}]})),))
    found = file.from_bytes(file.to_bytes(Saved(project)), "x").project
    assert found == project


# Writing


def test_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.studio"
    file.save(path, Saved(Project()))
    before = path.read_bytes()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StudioError, match="No space left"):
        file.save(path, example())
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.studio"]


def test_write_into_nowhere_says_so(tmp_path):
    with pytest.raises(StudioError, match="No such file"):
        file.save(tmp_path / "missing" / "a.studio", example())
    (tmp_path / "file").write_text("")
    with pytest.raises(StudioError, match="Not a directory"):
        file.save(tmp_path / "file" / "a.studio", example())


@pytest.mark.skipif(os.name == "nt", reason="Windows has neither")
def test_write_keeps_the_mode_and_follows_links(tmp_path):
    path = tmp_path / "a.studio"
    file.save(path, Saved(Project()))
    path.chmod(0o640)
    link = tmp_path / "link.studio"
    link.symlink_to(path)
    file.save(link, example())
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert file.load(path).trained is not None


# Reading what is damaged


def archive(**members: object) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members.items():
            data = data if isinstance(data, bytes | str) else json.dumps(data, default=dict)
            made.writestr(name.replace("__", "."), data)
    return buffer.getvalue()


def changed(**parts: object) -> bytes:
    return archive(project__json={**document.to_document(example().project), **parts})


SETTINGS = document.to_document(Project())["settings"]
BLOCK = {"id": 1, "class_name": "Dense", "config": {}}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "zip"),
        (b"PK\5\6" + b"\0" * 18, "nothing"),
        (archive(a__json={}), "a.json"),
        (archive(project__json={}, weights__safetensors=b""), "weights.safetensors"),
        (archive(project__json=b"\xff"), "UTF-8"),
        (archive(project__json="{"), "JSON"),
        (archive(project__json="[" * 100_000), "JSON"),
        (archive(project__json='{"a":' + "[" * 400 + "]" * 400 + "}"), "levels"),
        (archive(project__json=[]), "braces"),
        (archive(project__json={}), "format number"),
        (archive(project__json=" " * (17 << 20)), "at most"),
        (changed(format=4), "newer version"),
        (changed(format=True), "format number"),
        (changed(format=0), "format number"),
        (changed(more=1), "'more'"),
        (changed(blocks={}), "a list"),
        (changed(blocks=[3]), "block 1"),
        (changed(blocks=[{}]), "block 1"),
        (changed(blocks=[{**BLOCK, "id": 0}]), "id"),
        (changed(blocks=[{**BLOCK, "id": True}]), "id"),
        (changed(blocks=[{**BLOCK, "class_name": 3}]), "class_name"),
        (changed(blocks=[{**BLOCK, "config": []}]), "config"),
        (changed(blocks=[{**BLOCK, "config": {"units": 2**53}}]), r"below 2\*\*53"),
        (changed(blocks=[{**BLOCK, "config": {"units": [-(10**3000)]}}]), r"below 2\*\*53"),
        (changed(blocks=[{**BLOCK, "config": {"name": "\ud800"}}]), "whole characters"),
        (changed(blocks=[{**BLOCK, "config": {"\udfff": 1}}]), "whole characters"),
        (changed(blocks=[{**BLOCK, "config": {"a": [[]] * 300_000}}]), "at most 262144 values"),
        (changed(blocks=[BLOCK, BLOCK]), "one twice"),
        (changed(data="iris"), "data"),
        (changed(data={"name": 1, "options": {}}), "data name"),
        (changed(settings={}), "settings"),
        (changed(settings={**SETTINGS, "metrics": "auc"}), "metrics: expected a list"),
        (changed(settings={**SETTINGS, "metrics": ["auc"]}), "metric 1"),
        (changed(settings={**SETTINGS, "metrics": [{"class_name": "AUC"}]}), "metric 1.*'config'"),
    ],
)  # fmt: skip
def test_damaged_file_is_refused_in_words(data: bytes, words: str):
    with pytest.raises(FormatError, match=words) as caught:
        file.from_bytes(data, "a.studio")
    assert "a.studio" in str(caught.value)


def test_zip_bomb_is_refused_before_it_is_unpacked():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("project.json", "{}")
        made.writestr("weights.safetensors", b"\0" * (50 << 20))
        made.writestr("history.csv", "")
        made.writestr("report.json", "{}")
    with pytest.raises(FormatError, match="at most"):
        file.from_bytes(buffer.getvalue(), "a.studio")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("epoch\n\n\n", "row 2: expected 1 numbers, found nothing"),
        ("epoch,loss\n1,2\n1\n", "row 3: expected 2 numbers, found 1"),
        ("epoch,loss\n1,2,3\n", "row 2: expected 2 numbers, found 1,2,3"),
        ("epoch,loss\n1,a\n", "row 2: expected 2 numbers, found 1,a"),
        ("epoch,epoch\n", "a name of its own"),
        ('"epoch', "a CSV table"),
        (",".join(map(str, range(20_000))), "names of columns"),
    ],
)
def test_a_table_that_is_none_is_refused_where_that_shows(text: str, words: str):
    with pytest.raises(FormatError, match=words):
        table.to_columns(text, "history.csv")


def test_a_table_is_read_row_by_row(monkeypatch):
    """A short text may mean more columns times rows than there is memory for."""
    monkeypatch.setattr(np, "empty", None)
    names = ",".join(map(str, range(9_000)))
    with pytest.raises(FormatError, match="row 2"):
        table.to_columns(names + "\n" * 900, "history.csv")
    monkeypatch.setattr(table, "NUMBERS", 5)
    with pytest.raises(FormatError, match="at most 5 numbers"):
        table.to_columns("a,b\n1,2\n3,4\n5,6\n", "history.csv")


def test_names_of_columns_may_hold_anything():
    columns = {"epoch": np.array([1.0, 2.0]), 'a\n,"b': np.array([np.nan, -1e300])}
    found = table.to_columns(table.to_csv(columns), "history.csv")
    assert list(found) == list(columns)
    for name, column in columns.items():
        np.testing.assert_array_equal(found[name], column)


def test_what_is_too_large_for_a_file_is_not_written():
    long = Project((Block(1, Spec("Dense", {"name": "a" * (5 << 20)})),))
    large = Project((Block(1, Spec("Dense", {"units": 2**53})),))
    for project in (long, large):
        with pytest.raises(FormatError):
            file.to_bytes(Saved(project))


def test_a_block_beside_the_one_of_the_largest_number_can_be_saved():
    project = Project((Block(2**53 - 1, Spec("Flatten")), Block(1, Spec("Flatten"))))
    project = edits.insert_block(project, 0, "Dense")
    assert file.from_bytes(file.to_bytes(Saved(project)), "x").project == project


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(StudioError, match="No such file"):
        file.load(tmp_path / "a.studio")
    with pytest.raises(StudioError, match="directory"):
        file.load(tmp_path)


def test_every_cut_and_random_damage_is_a_studio_error():
    whole = file.to_bytes(example())
    random_ = random.Random(0)
    cases = [whole[:length] for length in range(0, len(whole), 7)]
    for _ in range(1500):
        damaged = bytearray(whole)
        for _ in range(random_.choice([1, 1, 2, 8])):
            damaged[random_.randrange(len(damaged))] ^= 1 << random_.randrange(8)
        cases.append(bytes(damaged))
    refused = 0
    for data in cases:
        try:
            file.from_bytes(data, "a.studio")
        except StudioError:
            refused += 1
    assert refused > 0.9 * len(cases)


def test_random_damage_of_the_texts_is_a_studio_error():
    with zipfile.ZipFile(io.BytesIO(file.to_bytes(example()))) as whole:
        members = {name: whole.read(name) for name in whole.namelist()}
    random_ = random.Random(1)
    for _ in range(1500):
        name = random_.choice(list(members))
        damaged = bytearray(members[name])
        for _ in range(random_.choice([1, 1, 3])):
            damaged[random_.randrange(len(damaged))] = random_.choice(b'0129.-e[]{}",:xN\xff\n')
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as made:
            for member, data in members.items():
                made.writestr(member, bytes(damaged) if member == name else data)
        with suppress(StudioError):
            file.from_bytes(buffer.getvalue(), "a.studio")


# Older formats


def test_a_file_of_format_1_with_its_run_is_still_opened():
    saved = example()
    members = {}
    with zipfile.ZipFile(io.BytesIO(file.to_bytes(saved))) as whole:
        for name in whole.namelist():
            members[name] = whole.read(name)
    for name, inner in (("project.json", lambda found: found),
                        ("report.json", lambda found: found["project"])):  # fmt: skip
        found = json.loads(members[name])
        inner(found)["format"] = 1
        del inner(found)["settings"]["metrics"]
        members[name] = json.dumps(found).encode()
    opened = file.from_bytes(archive(**{k.replace(".", "__"): v for k, v in members.items()}), "x")
    assert opened.project == saved.project
    assert opened.trained is not None and saved.trained is not None
    assert opened.trained.project == saved.trained.project


def trained_example() -> Trained:
    trained = example().trained
    assert trained is not None
    return trained


REPORT = trained_example().report
DAMAGED = {
    "steps": ["x", None, float("nan"), True, float("inf")],
    "seconds": [None, float("inf"), "1"],
    "figures": [None, [], {"loss": "x"}],
    "classes": [None, {"a": 1}, 5, [{"name": "a"}], [5]],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in DAMAGED.items() for value in values]
)
def test_a_damaged_report_is_refused_in_words(name: str, value: object):
    trained = trained_example()
    for report in ({**REPORT, name: value}, {k: v for k, v in REPORT.items() if k != name}):
        saved = Saved(example().project, replace(trained, report=report))
        with pytest.raises(FormatError, match=f"report.json {name}"):
            file.from_bytes(file.to_bytes(saved), "a.studio")


def test_curves_without_epochs_are_refused_in_words():
    trained = replace(trained_example(), history={"loss": np.zeros(2)})
    with pytest.raises(FormatError, match="a column 'epoch'"):
        file.from_bytes(file.to_bytes(Saved(example().project, trained)), "a.studio")


def test_what_could_not_be_read_again_is_not_written(tmp_path):
    path = tmp_path / "a.studio"
    file.save(path, example())
    before = path.read_bytes()
    inner = {"class_name": "Dense", "config": {"units": 1}}
    for _ in range(20):
        inner = {"class_name": "TimeDistributed", "config": {"layer": inner}}
    deep = Project((Block(1, Spec("TimeDistributed", {"layer": inner})),))
    with pytest.raises(FormatError, match="levels of brackets"):
        file.save(path, Saved(deep))
    assert path.read_bytes() == before
