"""Each setting is said once: the page, the type and the defaults all come from the one table."""

import re
from typing import get_type_hints

from flask import Flask

from cobot_oidc import CobotOIDC, CobotOIDCConfig
from cobot_oidc.settings import KEYS, TABLE, ProviderSettings
from tools import configuration


def test_the_page_and_the_type_are_up_to_date() -> None:
    assert configuration.PAGE.read_text(encoding="utf-8") == configuration.page(), "make docs"
    assert configuration.TYPE.read_text(encoding="utf-8") == configuration.type_module(), "make docs"


def test_the_page_lists_exactly_the_settings() -> None:
    listed = re.findall(r"^\| `([A-Z_]+)` \|", configuration.PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(f"COBOT_OIDC_{name}" for name in listed) == sorted(row.key for row in TABLE)
    assert set(get_type_hints(CobotOIDCConfig)) == KEYS


def test_every_default_passes_its_own_check() -> None:
    config = {"SECRET_KEY": "k" * 32, "COBOT_OIDC_CLIENT_ID": "portal"}
    for row in TABLE:
        if isinstance(row.default, (str, int, float)):
            config[row.key] = row.default  # type: ignore[assignment] # numbers and booleans too
    app = Flask("portal")
    app.config.update(config)

    CobotOIDC(app)

    assert app.extensions["cobot_oidc"].settings.provider == ProviderSettings()
