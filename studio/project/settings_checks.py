"""What is invalid about how to train."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from studio.engine.errors import Fix, StudioError
from studio.engine.params import REQUIRED
from studio.engine.registry import Named, NamedList, Registry
from studio.project.edits import set_settings
from studio.project.examine import wrong_parameters
from studio.project.problems import Problem, problem
from studio.project.settings import TrainingSettings
from studio.project.specs import set_spec_param
from studio.project.values import Project, Spec


def settings_problems(project: Project) -> Iterator[Problem]:
    """The invalid settings, and the invalid parameters of the optimizer and the loss.

    Metrics have a check of their own.
    """
    for name, param in TrainingSettings.params.items():
        value = getattr(project.settings, name)
        if isinstance(param, Named):
            registry: Registry[Any] = param.registry  # pyright: ignore[reportUnknownMemberType]
            yield from _spec_problems(name, param.label, value, registry)
            continue
        if isinstance(param, NamedList):
            continue
        try:
            param.checked(value)
        except StudioError as error:
            fix = Fix(
                f"Set {param.label.lower()} to {param.initial}",
                partial(set_settings, **{name: param.initial}),
            )
            yield problem(error, "settings", subject=param.label, param=name, fixes=(fix,))


def _spec_problems(
    setting: str, label: str, spec: Spec, registry: Registry[Any]
) -> Iterator[Problem]:
    for wrong in wrong_parameters(spec, registry):
        param = registry.find(spec.class_name).params.get(wrong.param) if wrong.param else None
        if param is None:
            fresh = Fix(
                f"Use the usual {label.lower()}",
                partial(set_settings, **{setting: getattr(Project().settings, setting)}),
            )
            yield problem(wrong.error, "settings", subject=label, param=setting, fixes=(fresh,))
            continue
        fixes: tuple[Fix, ...] = ()
        if param.initial is not REQUIRED:
            mended = set_spec_param(spec, registry, param.name, param.initial)
            text = f"Set {param.label.lower()} to {param.initial}"
            fixes = (Fix(text, partial(set_settings, **{setting: mended})),)
        yield problem(
            wrong.error,
            "settings",
            subject=param.label,
            param=f"{setting}.{param.name}",
            fixes=fixes,
        )
