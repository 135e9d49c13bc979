"""The objects behind Flask's proxies in this context, and whether a request can be read at all.

A proxy looks its object up for every attribute. That takes half a microsecond, and a page view would do it five times.
"""

from collections.abc import Callable
from typing import cast

from flask import Flask, Request, current_app, request, session
from flask.sessions import SessionMixin

the_app = cast("Callable[[], Flask]", current_app._get_current_object)  # type: ignore[attr-defined] # see below
the_request = cast("Callable[[], Request]", request._get_current_object)  # type: ignore[attr-defined] # see below
# The documented way to the object behind a proxy; Flask's annotations give the proxies the types of their objects.
the_session = cast("Callable[[], SessionMixin]", session._get_current_object)  # type: ignore[attr-defined]


def is_query_readable() -> bool:
    """Whether the query is UTF-8, without which Werkzeug fails to read it. Some servers pass on any bytes."""
    try:
        the_request().query_string.decode()
    except UnicodeDecodeError:
        return False
    return True
