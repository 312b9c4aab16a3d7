"""Checks the plug-ins that a study of proxies names and their settings, without data and without opening a table."""

from __future__ import annotations

from nas_core import catalog
from nas_core.space import SearchSpace
from tasks import assembly
from tasks.fixed_list import FixedList
from tasks.settings.errors import SettingsError, located, nearest
from tasks.settings.plug_ins import checked
from tasks.settings.proxy_study import ProxyStudySettings
from tasks.settings.sections import Settings


def check_study(file: str, location: str, study: ProxyStudySettings, settings: Settings) -> SearchSpace:
    """Check that all plug-ins exist, take their settings and go together; return the space.

    Args:
        file: name of the file that was read, for the messages.
        location: keys that lead to the study.
        study: what it holds.
        settings: all others.

    Raises:
        SettingsError: one line.
    """
    chosen = study.space or settings.search.space
    values = checked(file, f"{location}.space", "space", chosen.name, chosen.settings)
    with located(file, f"{location}.space"):
        space: SearchSpace = catalog.load("space", chosen.name).build(**values)
    known = catalog.names("proxy")
    for name in () if study.proxies == "all" else study.proxies:
        if "." not in name and name not in known:
            raise SettingsError(
                f"{file}: {location}.proxies has {name!r}{nearest(name, known)}; allowed: all, or {', '.join(known)}"
            )
        with located(file, f"{location}.proxies"):
            assembly.objective(name)
    plug_in = study.accuracy.plug_in
    checked(file, f"{location}.accuracy", "evaluator", plug_in.name, plug_in.settings)
    accuracy = assembly.objective("validation_accuracy")
    with located(file, f"{location}.accuracy"):
        catalog.load("evaluator", plug_in.name).check(space, FixedList(()), (accuracy,))
    return space
