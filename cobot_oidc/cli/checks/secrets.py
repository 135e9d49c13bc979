"""The app's secret key: whether it can be guessed, and whether every process has the same. It is never shown."""

from collections.abc import Iterator

from ..findings import Finding, ok, problem, warning

SUBJECT = "SECRET_KEY"
FEWEST_CHARACTERS = 8  # different ones; 32 random hexadecimal digits have about 14
COMMAND = 'python -c "import secrets; print(secrets.token_hex())"'

_PLACEHOLDERS = ("changeme", "change-me", "change_me", "secret", "password", "example", "development")


def key_findings(key: str | bytes, is_shared: bool | None) -> Iterator[Finding]:
    """What can be said about the key.

    :param is_shared: whether a second process has the same one; ``None`` if that is not known.
    """
    text = key.decode(errors="replace") if isinstance(key, bytes) else key
    looks_typed = any(word in text.lower() for word in _PLACEHOLDERS)
    if len(set(text)) < FEWEST_CHARACTERS or looks_typed:
        yield warning(
            SUBJECT,
            "secret_key_weak",
            "The key is long enough, but looks as if somebody had typed it: whoever guesses it can log in as anybody.",
            f"Set it to the output of: {COMMAND}",
        )
    else:
        yield ok(SUBJECT, "secret_key", "The key is long enough, and does not look as if somebody had typed it.")
    if is_shared is False:
        yield problem(
            SUBJECT,
            "secret_key_not_shared",
            "A second process of this app has another key: the key is made when the app starts. With several workers "
            "most logins fail (transaction_unknown), and every restart logs everybody out.",
            f"Make a key once, with {COMMAND}, and set it in the environment: FLASK_SECRET_KEY.",
        )
    elif is_shared:
        yield ok(SUBJECT, "secret_key_shared", "A second process of this app has the same key.")
