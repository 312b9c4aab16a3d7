"""The catalog of plug-ins: the folder is the registry, the file name is the name that users type."""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import Any

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "space": "nas_core.spaces",
        "strategy": "nas_core.strategies",
        "evaluator": "nas_core.evaluators",
        "proxy": "nas_core.proxies",
        "predictor": "nas_core.predictors",
        "controller": "nas_core.controllers",
        "benchmark": "nas_core.benchmarks",
        "learning task": "nas_core.learning_tasks",
        "data set": "nas_core.data.sets",
        "corruption": "nas_core.robustness.corruptions",
    }
)

ENTRIES: Mapping[str, str] = MappingProxyType({"proxy": "score", "data set": "load", "corruption": "corrupt"})
"""The entry function of a kind, where it is not `build`."""

SUPPLIED = frozenset({"num_steps", "screen", "folder", "download", "progress"})
"""Keyword parameters of entry functions that assembly supplies; users do not set them."""


@dataclass(frozen=True)
class Setting:
    """A setting of a plug-in: a keyword-only parameter of its entry function.

    Attributes:
        name: as users type it.
        annotation: its type, possibly ``typing.Annotated`` with bounds of `annotated_types`.
        default: the default value, or `inspect.Parameter.empty` if it must be given.
    """

    name: str
    annotation: Any
    default: Any

    @property
    def required(self) -> bool:
        """Whether the setting has no default."""
        return self.default is inspect.Parameter.empty


def names(kind: str) -> tuple[str, ...]:
    """Return the sorted names of a kind's plug-ins: the modules of its folder."""
    package = importlib.import_module(KINDS[kind])
    return tuple(
        sorted(entry.name for entry in pkgutil.iter_modules(package.__path__) if not entry.name.startswith("_"))
    )


def load(kind: str, name: str) -> ModuleType:
    """Return the module of a plug-in; a name with a dot is the import path of somebody else's module.

    Raises:
        ValueError: for an unknown name, with the nearest known one.
    """
    if "." in name:
        try:
            return importlib.import_module(name)
        except ImportError as error:
            raise ValueError(
                f"{kind} {name!r} cannot be imported ({error}){_nearest_beside(name)}; check the path and what it "
                "imports"
            ) from None
    known = names(kind)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"unknown {kind} {name!r}{hint}; allowed: {', '.join(known)}, or an import path with a dot")
    return importlib.import_module(f"{KINDS[kind]}.{name}")


def _nearest_beside(name: str) -> str:
    """Return a question for the module of the same package whose name is nearest, or an empty text."""
    package, _, last = name.rpartition(".")
    try:
        folders = getattr(importlib.import_module(package), "__path__", ())
    except (ImportError, ValueError):
        return ""
    near = difflib.get_close_matches(last, [entry.name for entry in pkgutil.iter_modules(folders)], n=1, cutoff=0.5)
    return f"; did you mean '{package}.{near[0]}'?" if near and near[0] != last else ""


def settings(kind: str, name: str) -> tuple[Setting, ...]:
    """Return the settings of a plug-in: the keyword-only parameters of its entry function that users may set."""
    module = load(kind, name)
    entry = ENTRIES.get(kind, "build")
    function = getattr(module, entry, None)
    if function is None:
        raise ValueError(f"{kind} {name!r} has no function {entry}(); every {kind} exposes one")
    found = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and parameter.name not in SUPPLIED:
            annotation = parameter.annotation
            if isinstance(annotation, str):
                annotation = eval(annotation, vars(module))
            found.append(Setting(parameter.name, annotation, parameter.default))
    return tuple(found)


def supplied(kind: str, name: str) -> frozenset[str]:
    """Return which of the parameters in `SUPPLIED` a plug-in asks for."""
    function = getattr(load(kind, name), ENTRIES.get(kind, "build"))
    return SUPPLIED & inspect.signature(function).parameters.keys()
