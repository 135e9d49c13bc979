"""``python -m tools.configuration`` writes the page and the type of the settings from their table."""

from pathlib import Path

from cobot_oidc.settings import IssuerSettings, ProviderSettings, Settings
from cobot_oidc.settings_table import Row, rows

_ROOT = Path(__file__).parents[1]
_LONGEST_LINE = 121  # with its end
PAGE = _ROOT / "docs" / "configuration.md"
TYPE = _ROOT / "cobot_oidc" / "configuration.py"

HEAD = """\
# Configuration

All settings are in `app.config`, and each key has the prefix `COBOT_OIDC_`. In the environment, with
`app.config.from_prefixed_env()`, the prefix is `FLASK_COBOT_OIDC_`, and values are JSON (a client id of digits needs
double quotes: `'"12345"'`). Everything is read and checked once, by `init_app`. A wrong or misspelt setting raises a
`ConfigurationError` that names the key, what was found (never a secret), what is expected, and often what was
probably meant; several problems are reported together, each in the error's `problems`. Nothing waits for the network.

`CobotOIDCConfig` is a `TypedDict` of all keys, for type checkers and editors:

```python
from cobot_oidc import CobotOIDCConfig

config: CobotOIDCConfig = {"COBOT_OIDC_CLIENT_ID": "portal", "COBOT_OIDC_SPACES": ["co-up"]}
app.config.from_mapping(config)
```
"""

PARTS = (
    ("Who vouches for people, and which client this app is there", IssuerSettings),
    ("How people log in and out, and what the app keeps", Settings),
    ("How providers are called, and what is accepted from them", ProviderSettings),
)

FOOT = """\

## Flask's own settings

`SECRET_KEY` and each of `SECRET_KEY_FALLBACKS` need 32 characters or more.

`SESSION_COOKIE_SECURE` is set to `True` by `init_app` if `COBOT_OIDC_REDIRECT_URI` is an https URL, as the app is
then reached over https: browsers never send the session over http.

A session store on the server has to give a session a new id at each login, as Flask-Session does since 0.7. Any other
store is refused: somebody who planted the old id in a browser would be logged in too.

`SESSION_COOKIE_SAMESITE` cannot be `Strict`: browsers do not send such a cookie to the page that a login at another
site leads back to, so nobody would seem to be logged in there. Use `Lax`.
"""


def page() -> str:
    """The page of all settings."""
    return HEAD + "".join(_part(title, group) for title, group in PARTS) + FOOT


def type_module() -> str:
    """The module that defines ``CobotOIDCConfig``."""
    annotations = {row.key: row.check.accepts for _, group in PARTS for row in rows(group)}
    imports = [name for name in ("Callable", "Collection", "Mapping") if any(name in a for a in annotations.values())]
    return (
        '"""The type of this extension\'s part of ``app.config``. Written by ``make docs`` from ``settings``."""\n\n'
        f"from collections.abc import {', '.join(imports)}\n"
        "from typing import Any, Literal, TypedDict\n\n"
        "from .identity.user import User\n\n\n"
        "class CobotOIDCConfig(TypedDict, total=False):\n"
        '    """Every setting, for type checkers and editors; ``docs/configuration.md`` describes each."""\n\n'
    ) + "".join(_annotated(key, annotation) for key, annotation in annotations.items())


def _annotated(key: str, annotation: str) -> str:
    """One line, or the three that the formatter makes of a long one."""
    line = f"    {key}: {annotation}\n"
    if len(line) <= _LONGEST_LINE:
        return line
    return f"    {key}: Literal[\n        {annotation.removeprefix('Literal[').removesuffix(']')}\n    ]\n"


def _part(title: str, group: type) -> str:
    lines = "".join(f"| `{row.name.upper()}` | {_default(row)} | {row.about} |\n" for row in rows(group))
    return f"\n## {title}\n\n| key | default | meaning |\n|---|---|---|\n{lines}"


def _default(row: Row) -> str:
    if row.shown is not None:
        return row.shown
    default = row.default
    if default is None or default in ((), frozenset()):
        return "none"
    if isinstance(default, tuple):
        return f"`{' '.join(default)}`"
    if isinstance(default, (int, float)) and not isinstance(default, bool):
        return f"{default:g}" if isinstance(default, float) else str(default)
    return f"`{default if isinstance(default, (str, bool)) else dict(default)}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    TYPE.write_text(type_module(), encoding="utf-8")
