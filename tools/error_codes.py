"""``python -m tools.error_codes`` writes docs/errors.md from the catalogue that the code raises from."""

from pathlib import Path

from cobot_oidc.errors import (
    API,
    CONFIGURATION,
    LOGIN,
    PROVIDER,
    TOKEN,
    APIError,
    ConfigurationError,
    Entry,
    LoginError,
    ProviderError,
    TokenError,
)

PAGE = Path(__file__).parents[1] / "docs" / "errors.md"

HEAD = """\
# Errors

Every outcome that is not a success has a stable code. The person reads a sentence and a reference; the operator finds
the code, the hint and what was expected and found under the same reference in the log (logger `cobot_oidc`); the app
gets the error itself, by `login_failed` or an `errorhandler`: `code`, `status`, `sentence`, `hint`, `details`,
`correlation_id`.

Each code has an address of its own on this page, such as `#client_refused`.
"""

PARTS = (
    ("ConfigurationError", "The app's own settings", ConfigurationError.default_status, CONFIGURATION),
    ("ProviderError", "The provider, and the way to it", ProviderError.default_status, PROVIDER),
    ("TokenError", "The id token and its keys", TokenError.default_status, TOKEN),
    ("LoginError", "This login", LoginError.default_status, LOGIN),
    ("APIError", "Calls of Cobot's API", APIError.default_status, API),
)


def page() -> str:
    """The whole page."""
    return HEAD + "".join(_part(*part) for part in PARTS)


def _part(name: str, title: str, status: int, entries: dict[str, Entry]) -> str:
    return f"\n## {title}: `{name}`\n" + "".join(
        f"\n### `{code}`\n\n{entry.hint}\n\nStatus {entry.status or status}. The person reads: *{entry.sentence}*\n"
        for code, entry in entries.items()
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
