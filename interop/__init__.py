"""Real OpenID providers, written by others, in front of which an app with the extension logs in: ``make interop``.

``providers`` has a folder for each of them: what it is installed from, its configuration, and how its own pages are
filled in. ``test_logins`` has the checks, which know none of them by name. docs/interoperability.md is made from what
they say.
"""
