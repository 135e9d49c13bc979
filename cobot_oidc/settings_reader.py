"""Reads ``app.config`` one key at a time, and refuses what is wrong by key, value and remedy."""

import re
from collections.abc import Mapping
from typing import Any, NoReturn

from .errors import ConfigurationError
from .protocol.discovery import check_issuer

PREFIX = "COBOT_OIDC_"
KEYS = frozenset(
    {
        "CLIENT_ID",
        "CLIENT_SECRET",
        "CLIENT_AUTH",
        "ISSUER",
        "SPACE_ISSUER",
        "SPACE_ISSUERS",
        "SPACES",
        "ALLOWED_HOSTS",
        "SCOPES",
        "REDIRECT_URI",
        "URL_PREFIX",
        "AFTER_LOGIN",
        "AFTER_LOGOUT",
        "SESSION_LIFETIME",
        "SESSION_IDLE_LIFETIME",
        "CLAIMS",
        "KEEP_TOKEN",
        "REDIS_URL",
        "LOGOUT_AT_PROVIDER",
        "USERINFO",
        "EMBEDDED",
        "JSON_BLUEPRINTS",
        "ALGORITHMS",
        "LEEWAY",
        "MAX_IAT_AGE",
        "TRUSTED_AUDIENCES",
        "REQUIRE_KID",
        "CONNECT_TIMEOUT",
        "READ_TIMEOUT",
        "TOTAL_TIMEOUT",
        "REQUEST_TIMEOUT",
        "METADATA_LIFETIME",
        "METADATA_STALE",
        "KEYS_LIFETIME",
        "KEYS_STALE",
        "PROXIES",
        "CA_BUNDLE",
    }
)

_VSCHAR = re.compile(r"[\x20-\x7e]+")


class SettingsReader:
    """Reads one key at a time, and refuses by name."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config
        self._secret = {"CLIENT_SECRET", "REDIS_URL"}

    def refuse(self, key: str, expected: str) -> NoReturn:
        found = self._config.get(PREFIX + key)
        shown = f"a {type(found).__name__}, not shown" if key in self._secret else found
        raise ConfigurationError("setting_invalid", setting=PREFIX + key, found=shown, expected=expected)

    def refuse_unknown(self) -> None:
        for key in self._config:
            if key.startswith(PREFIX) and key.removeprefix(PREFIX) not in KEYS:
                import difflib  # for a mistake alone

                near = difflib.get_close_matches(key.removeprefix(PREFIX), KEYS, n=1)
                expected = f"{PREFIX}{near[0]}" if near else "one of docs/configuration.md"
                raise ConfigurationError("setting_unknown", setting=key, expected=expected)

    def value(self, key: str, default: Any) -> Any:
        return self._config.get(PREFIX + key, default)

    def text(self, key: str, default: str | None) -> str | None:
        value = self.value(key, default)
        if value is None:
            return None
        if not isinstance(value, str) or not _VSCHAR.fullmatch(value):
            self.refuse(key, "printable ASCII text; in the environment, put digits in double quotes")
        return value

    def whole_number(self, key: str, default: int, lowest: int, highest: int) -> int:
        value = self.value(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            self.refuse(key, f"a whole number from {lowest} to {highest}")
        return value

    def seconds(self, key: str, default: float, lowest: float, highest: float) -> float:
        value = self.value(key, default)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not lowest <= value <= highest:
            self.refuse(key, f"a number of seconds from {lowest:g} to {highest:g}")
        return float(value)

    def boolean(self, key: str, default: bool) -> bool:
        value = self.value(key, default)
        if not isinstance(value, bool):
            self.refuse(key, "True or False; in the environment, true or false")
        return value

    def words(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        value = self.value(key, default)
        if isinstance(value, str):
            value = value.split()
        if not isinstance(value, (list, tuple, set, frozenset)) or not all(
            isinstance(word, str) and word for word in value
        ):
            self.refuse(key, "a list of words, or one text with spaces between them")
        return tuple(dict.fromkeys(value))

    def issuer(self, key: str, default: str) -> str:
        value = self.value(key, default)
        if not isinstance(value, str):
            self.refuse(key, "the issuer's URL, as text")
        try:
            check_issuer(value)
        except ConfigurationError:
            self.refuse(key, "an https URL without query, fragment or user (http only on localhost)")
        return value
