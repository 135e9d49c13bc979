"""Settings as lines that a shell, python-dotenv and ``app.config.from_prefixed_env()`` all read alike.

The values may come from a provider. None of them can add a line, run a command, or stand for another variable: both
shells and python-dotenv would replace ``${FLASK_SECRET_KEY}``, and the app would send the key along as a client's id.
"""

import json
import re

_PLAIN = re.compile(r"[\w@%+=:,./-]+", re.ASCII)
_WORDS = re.compile(r"[\w@%+=:,./ -]+", re.ASCII)


def line(name: str, value: str) -> str:
    """One line that sets this setting for Flask.

    :param name: the setting's key, without ``FLASK_``.
    :param value: printable ASCII.
    """
    return f"FLASK_{name}={_quoted(value)}"


def _quoted(value: str) -> str:
    if not _is_json(value):
        if _PLAIN.fullmatch(value):
            return value
        if _WORDS.fullmatch(value):
            return f'"{value}"'
    # Flask reads JSON. What a shell or python-dotenv would read in its own way is escaped as only JSON understands it.
    escaped = re.sub(r"[^\w ]", lambda character: f"\\u{ord(character[0]):04x}", value, flags=re.ASCII)
    return f"'\"{escaped}\"'"


def _is_json(value: str) -> bool:
    """Whether Flask would read something else than text, such as a number."""
    try:
        json.loads(value)
    except (ValueError, RecursionError):
        return False
    return True
