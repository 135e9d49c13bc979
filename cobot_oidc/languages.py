"""The languages of pages: gettext catalogues as made by Babel, chosen by ``Accept-Language``."""

import gettext
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol

from werkzeug.datastructures import LanguageAccept

TRANSLATIONS = Path(__file__).parent / "translations"
SOURCE = "en"


class Say(Protocol):
    """Translates one of our own sentences."""

    def __call__(self, sentence: str, /) -> str: ...


class Speaker(NamedTuple):
    """One language: its tag and its translations."""

    language: str
    say: Say


def speaker(accepted: LanguageAccept) -> Speaker:
    """The best language for a request; English if there is no better one.

    :param accepted: the request's ``Accept-Language``.
    """
    # In the person's own order; Werkzeug's best_match would choose German for "en-GB, de;q=0.5".
    wanted = (tag.partition("-")[0].lower() for tag in accepted.values())
    language = next((tag for tag in wanted if tag in _languages()), SOURCE)
    return Speaker(language, _catalogue(language).gettext)


@lru_cache(maxsize=1)
def _languages() -> list[str]:
    return [SOURCE, *sorted(path.parent.parent.name for path in TRANSLATIONS.glob("*/LC_MESSAGES/cobot_oidc.mo"))]


@lru_cache(maxsize=32)
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation("cobot_oidc", TRANSLATIONS, languages=[language], fallback=True)
