"""What can be wrong with the settings as a whole: unknown names, variables that are not read, Flask's own settings.

All problems are collected and raised together when the app starts, each with the remedy for the mistake that probably
caused it. The value of a secret is never shown.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .errors import ConfigurationError

PREFIX = "COBOT_OIDC_"
SHORTEST_SECRET_KEY = 32  # bytes (S05)

# Names that other libraries use, or that readers of a specification look for.
_OTHER_NAMES = {
    "ISSUER": ("DISCOVERY", "METADATA_URL", "METADATA_URI", "WELL_KNOWN", "OPENID_CONFIGURATION", "AUTHORITY"),
    "REDIRECT_URI": ("CALLBACK",),
    "CLIENT_AUTH": ("AUTH_METHOD",),
    "TOTAL_TIMEOUT": ("HTTP_TIMEOUT",),
}


class Problems:
    """The problems found so far."""

    def __init__(self) -> None:
        self._found: list[ConfigurationError] = []

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Remember a ``ConfigurationError``, and continue."""
        try:
            yield
        except ConfigurationError as error:
            self._found.extend(error.problems)

    def raise_any(self) -> None:
        """:raises ConfigurationError: one error about all noted problems, if there are any."""
        if self._found:
            raise ConfigurationError.together(self._found)


def check_flask(config: Mapping[str, Any]) -> None:
    """Check the settings of Flask itself that a safe login needs.

    :raises ConfigurationError: ``setting_invalid``.
    """
    problems = Problems()
    with problems.noted():
        _check_secret_key("SECRET_KEY", config.get("SECRET_KEY"), remedy_for_missing("SECRET_KEY", config))
    fallbacks = config.get("SECRET_KEY_FALLBACKS") or ()
    if isinstance(fallbacks, (str, bytes)):  # Flask would use each character as a key
        with problems.noted():
            found = f"{kind(fallbacks)}, not shown"
            raise ConfigurationError(
                "setting_invalid", setting="SECRET_KEY_FALLBACKS", found=found, expected="a list of keys"
            )
        fallbacks = ()
    for key in fallbacks:
        with problems.noted():
            _check_secret_key("SECRET_KEY_FALLBACKS", key, {})
    with problems.noted():
        check_samesite(config)
    problems.raise_any()


def check_samesite(config: Mapping[str, Any]) -> None:
    """The session's cookie comes along when a login elsewhere leads back.

    :raises ConfigurationError: ``setting_invalid``.
    """
    if str(config.get("SESSION_COOKIE_SAMESITE")).lower() == "strict":
        raise ConfigurationError(
            "setting_invalid",
            setting="SESSION_COOKIE_SAMESITE",
            found="Strict",
            expected="Lax: browsers hide a Strict cookie from the page that a login elsewhere leads back to",
        )


def refuse_unknown(config: Mapping[str, Any], keys: Collection[str]) -> None:
    """Refuse keys with our prefix that are not settings.

    :param keys: the keys of all settings.
    :raises ConfigurationError: ``setting_unknown``.
    """
    problems = Problems()
    for key in config:
        if key.upper().startswith(PREFIX) and key not in keys:
            with problems.noted():
                expected = "the name of a setting"
                raise ConfigurationError("setting_unknown", setting=key, expected=expected, **_meant(key, keys))
    problems.raise_any()


def remedy_for_missing(key: str, config: Mapping[str, Any]) -> dict[str, str]:
    """The remedy for a missing setting that was set somewhere else, or under a similar name."""
    if f"FLASK_{key}" in os.environ:
        return {"remedy": f"FLASK_{key} is set in the environment: call app.config.from_prefixed_env() first"}
    if key in os.environ:
        return {"remedy": f"{key} is set in the environment: set FLASK_{key} instead, or app.config[{key!r}]"}
    without_prefix = key.removeprefix(PREFIX)
    misnamed = [
        each for each in config if each != key and each.upper() in (key, without_prefix, f"OIDC_{without_prefix}")
    ]
    near = misnamed[0] if misnamed else nearest(key, config, cutoff=0.85)
    return {"remedy": f"{near} is set: did you mean {key}?"} if near else {}


def kind(value: object) -> str:
    """What a value is that may not be shown: ``a str``, ``an int``."""
    name = type(value).__name__
    return f"an {name}" if name[0] in "aeio" else f"a {name}"


def unread_variables(config: Mapping[str, Any], keys: Collection[str]) -> list[str]:
    """The settings that are in the environment without the prefix that Flask needs, and nowhere else."""
    return sorted(key for key in keys if key in os.environ and key not in config)


def _check_secret_key(name: str, key: object, if_missing: dict[str, str]) -> None:
    if isinstance(key, (str, bytes)) and len(key) >= SHORTEST_SECRET_KEY:
        return
    place = f"FLASK_{name}" if f"FLASK_{name}" in os.environ else name
    remedy = if_missing if key is None else {"remedy": f"set {place} to what that command prints"}
    if isinstance(key, (int, float)):
        remedy = {"remedy": "digits are read as a number by from_prefixed_env, and true as a boolean; use letters too"}
    raise ConfigurationError(
        "setting_invalid",
        setting=name,
        found="nothing" if not key else f"{kind(key)} of {len(str(key))} characters",
        expected='32 characters or more, from: python -c "import secrets; print(secrets.token_hex())"',
        **remedy,
    )


def _meant(key: str, keys: Collection[str]) -> dict[str, str]:
    name = key.upper().removeprefix(PREFIX)
    for meant, others in _OTHER_NAMES.items():
        if any(other in name for other in others):
            return {"remedy": f"set {PREFIX}{meant} instead"}
    names = [each.removeprefix(PREFIX) for each in keys]
    near = name if name in names else nearest(name, names, cutoff=0.6)
    return {"remedy": f"did you mean {PREFIX}{near}?"} if near else {}


def nearest(name: str, names: Iterable[str], *, cutoff: float) -> str | None:
    """The one of these names that was probably meant.

    :param cutoff: how alike they have to be, from 0 to 1.
    """
    import difflib  # only needed after a mistake

    near = difflib.get_close_matches(name, [each for each in names if each != name], n=1, cutoff=cutoff)
    return near[0] if near else None
