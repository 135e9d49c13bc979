"""At which issuers somebody has logged in: the only ones that are asked for keys if nobody has configured them (K19).

With ``COBOT_OIDC_SPACES="*"`` a stranger's token can name any space. If nobody is logged in there, it ends nothing, and
nobody needs its keys.
"""

from ..installation import installation


def note_login(issuer: str) -> None:
    """Somebody logs in at this issuer."""
    installed = installation()
    store = installed.store()
    if store is not None:
        store.put(_name(issuer), {"at": int(installed.clock())}, seconds=installed.terms.lifetime)


def is_somebody_logged_in(issuer: str) -> bool:
    """Whether somebody may still be logged in at this issuer."""
    store = installation().store()
    return store is not None and store.get(_name(issuer)) is not None


def _name(issuer: str) -> str:
    return f"logged in at:{issuer}"
