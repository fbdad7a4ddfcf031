"""What is wrong with the choice of data."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from studio.data.catalogue import catalogue, find
from studio.data.dataset import DatasetInfo
from studio.engine.errors import Fix, UnknownNameError
from studio.project.edits import set_data, set_data_option
from studio.project.examine import wrong_values
from studio.project.problems import Problem, problem, setting_words
from studio.project.values import DataChoice, Project


def info_of(project: Project) -> DatasetInfo | None:
    """What is known of the project's data; None if there are none of that name."""
    try:
        return find(project.data.name)
    except UnknownNameError:
        return None


def data_problems(project: Project) -> Iterator[Problem]:
    """Data that are not known, and invalid options of synthetic ones."""
    choice = project.data
    try:
        info = find(choice.name)
    except UnknownNameError as error:
        usual = catalogue()[0]
        fix = Fix(f"Use {usual.title}", partial(set_data, choice=DataChoice(usual.name)))
        yield problem(error, "data", subject="Data", fixes=(fix,))
        return
    for wrong in wrong_values(info.options, choice.options):
        name = wrong.param or ""
        param = info.options.params.get(name)
        if param is None:
            rest = {key: value for key, value in choice.options.items() if key != name}
            fix = Fix(f"Remove {name}", partial(set_data, choice=DataChoice(choice.name, rest)))
        else:
            text = setting_words(param, param.initial)
            fix = Fix(text, partial(set_data_option, name=name, value=param.initial))
        subject = param.label if param else name
        yield problem(wrong.error, "data", subject=subject, param=name, fixes=(fix,))
