"""Names of a package that are imported when they are first used (PEP 562): few of them are needed to start an app."""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module


def lazy_names(
    package: str, names: Sequence[str], modules: Sequence[str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return a package's ``__getattr__`` and ``__dir__``.

    :param package: the package's ``__name__``.
    :param names: the public names, its ``__all__``.
    :param modules: the modules that have them, relative to the package, in the order in which they import each other,
        so that no name imports more than its own module needs.
    """

    def get(name: str) -> object:
        if name in names:
            for each in modules:
                module = import_module(each, package)
                if hasattr(module, name):
                    found = getattr(module, name)
                    setattr(sys.modules[package], name, found)  # a view may say ``cobot_oidc.current_user`` each time
                    return found
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return get, lambda: sorted(names)
