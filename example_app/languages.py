"""German and English: which one a request gets, and how it writes days, times and amounts of money.

The sentences are in the templates; ``translations/`` has them in German (``make translations`` after a change).
"""

from datetime import date, datetime
from decimal import Decimal

from babel import Locale, negotiate_locale
from babel.dates import format_date, format_time
from babel.numbers import format_currency
from flask import Flask, has_request_context, request
from flask_babel import Babel, get_locale, gettext

from .extensions import oidc

WRITTEN_AS = {"en": "en_GB", "de": "de"}  # the languages, and whose days and times each has


def init_app(app: Flask) -> None:
    """Translate the app's templates, and let them write times and amounts."""
    Babel(app, default_locale="en_GB", locale_selector=_chosen)
    for write in (day, long_date, short_month, clock, money):
        app.add_template_filter(write)


def language() -> str:
    """The language of this request: ``en`` or ``de``."""
    return str(_locale().language)


def day(time: date, now: date) -> str:
    """Such as "Today", or "Friday, 27 November" with the year if it is another one than now."""
    days = (_date(time) - _date(now)).days
    near: dict[int, str] = {-1: gettext("Yesterday"), 0: gettext("Today"), 1: gettext("Tomorrow")}
    if days in near:
        return near[days]
    return _written(time, gettext("EEEE, d MMMM") if time.year == now.year else gettext("EEEE, d MMMM y"))


def long_date(time: date) -> str:
    """Such as "Friday, 27 November"."""
    return _written(time, gettext("EEEE, d MMMM"))


def short_month(time: date) -> str:
    """Such as "Nov"."""
    return _written(time, "LLL")


def clock(time: datetime) -> str:
    """Such as "09:30"."""
    return format_time(time, "short", locale=_locale())


def money(amount: Decimal, currency: str) -> str:
    """Such as "€119.00"."""
    return format_currency(amount, currency, locale=_locale())


def _chosen() -> str:
    """In a frame, the language that Cobot speaks around it, as the extension's own pages do; else the browser's."""
    hint = oidc.embed if has_request_context() else None
    if hint is not None and hint.locale is not None:
        wanted = [hint.locale.replace("_", "-")]
    else:
        wanted = list(request.accept_languages.values()) if has_request_context() else []
    return WRITTEN_AS[negotiate_locale(wanted, list(WRITTEN_AS), sep="-") or "en"]


def _locale() -> Locale:
    locale: Locale = get_locale()
    return locale


def _date(time: date) -> date:
    return time.date() if isinstance(time, datetime) else time


def _written(time: date, pattern: str) -> str:
    return format_date(time, pattern, locale=_locale())
