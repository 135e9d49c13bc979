"""What stands behind Flask's proxies in this context.

A proxy looks its object up for every attribute, half a microsecond each time, which a page view would pay five times.
"""

from collections.abc import Callable
from typing import cast

from flask import Flask, Request, current_app, request, session
from flask.sessions import SessionMixin

the_app = cast("Callable[[], Flask]", current_app._get_current_object)  # type: ignore[attr-defined] # see below
the_request = cast("Callable[[], Request]", request._get_current_object)  # type: ignore[attr-defined] # see below
# The documented way to what a proxy stands for; Flask's types call the proxies by what they stand for.
the_session = cast("Callable[[], SessionMixin]", session._get_current_object)  # type: ignore[attr-defined]
