"""``python -m tools.foundation`` writes docs/foundation-tests.md: what we do in each of the OpenID Foundation's tests.

The modules are listed in tests/conformance/modules.toml, and a test says which it plays:
``@pytest.mark.module("oidcc-client-test-nonce-invalid")``.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from .markers import TESTS, marked_tests

PAGE = Path(__file__).parents[1] / "docs" / "foundation-tests.md"
LIST = TESTS / "conformance" / "modules.toml"
MARKER = "module"

HEAD = """\
# The OpenID Foundation's tests, by name

The OpenID Foundation certifies relying parties with [a suite](https://gitlab.com/openid/conformance-suite) of modules:
in each, a provider makes one mistake, or none, and the suite looks at what the client does next. We play every module
of the plans for Basic RP and Config RP against the stand-in, over real HTTP, in a test of its name. What the suite
takes for a refusal, that the client does not go on to userinfo, is what these tests look at as well. The tests are in
`tests/`; `make docs` writes this page from `tests/conformance/modules.toml` and the tests' markers.

This page is no certificate: nobody but the Foundation issues one.
"""
COLUMNS = "| module | the provider… | we… | test |\n|---|---|---|---|\n"


class Module(NamedTuple):
    """One module, or why we have no test of it.

    :ivar provider: what the suite's provider does. :ivar we: what we do; empty if the feature is not offered.
    :ivar not_offered: why there is nothing to test.
    """

    name: str
    provider: str
    we: str = ""
    not_offered: str = ""

    @property
    def needs_a_test(self) -> bool:
        return not self.not_offered


class Plan(NamedTuple):
    """A plan of the suite, and the modules that stand under it here; ``also`` are those that another plan shows."""

    title: str
    name: str
    modules: list[Module]
    also: list[str]


def plans() -> list[Plan]:
    """All plans that concern relying parties."""
    document = tomllib.loads(LIST.read_text(encoding="utf-8"))
    return [
        Plan(
            plan["title"],
            plan["name"],
            [Module(name, **entry) for name, entry in plan["modules"].items()],
            plan.get("also", []),
        )
        for plan in document["plans"]
    ]


def page(tests: Mapping[str, list[str]]) -> str:
    """The whole page.

    :raises ValueError: for a marker that names no module.
    """
    listed = plans()
    if unknown := tests.keys() - {module.name for plan in listed for module in plan.modules}:
        raise ValueError(f"{', '.join(sorted(unknown))}: not in {LIST.name}")
    return HEAD + "".join(_part(plan, tests) for plan in listed)


def _part(plan: Plan, tests: Mapping[str, list[str]]) -> str:
    also = "".join(f"The plan also has `{name}`, which stands above.\n\n" for name in plan.also)
    rows = "".join(_row(module, tests.get(module.name, [])) for module in plan.modules)
    return f"\n## {plan.title}\n\nThe suite calls this plan `{plan.name}`.\n\n{also}{COLUMNS}{rows}"


def _row(module: Module, tests: list[str]) -> str:
    if module.needs_a_test:
        what, shown = module.we, "<br>".join(f"`{test}`" for test in tests)
    else:
        what, shown = f"do not offer this: {module.not_offered}", "–"
    return f"| `{module.name}` | {module.provider} | {what} | {shown} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(marked_tests(MARKER)), encoding="utf-8")
