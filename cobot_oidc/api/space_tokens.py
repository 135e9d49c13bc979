"""Space tokens for background work, which no person waits for: kept in Redis, sealed, until they are forgotten."""

from .. import sealing
from ..errors import APIError, ConfigurationError
from ..installation import Installation, installation
from ..provider.shared_store import SharedStore
from .client import CobotAPI
from .people import SpaceToken

LONGEST_WAIT = 60.0  # seconds: nobody sits in front of a job

_PURPOSE = "space token"


class SpaceTokens:
    """The tokens of the spaces that an app works for, for its web workers and its jobs.

    Every method needs an app context. A space's token is what one of its admins got with ``oidc.api.space_token``.

    :raises ConfigurationError: ``setting_missing`` without ``COBOT_OIDC_REDIS_URL``: processes share it there.
    """

    def __init__(self) -> None:
        self._store = _store(installation())

    def keep(self, space: str, token: SpaceToken) -> None:
        """Keep a space's token, in place of an earlier one.

        :param space: the space's subdomain.
        :raises APIError: ``space_token_not_kept`` if Redis is unavailable.
        """
        sealed = sealing.seal(token.token.encode(), _PURPOSE, space)
        if not self._store.put(_name(space), {"sealed": sealed}, seconds=None):
            raise APIError("space_token_not_kept", space=space)

    def api(self, space: str, *, longest_wait: float = LONGEST_WAIT) -> CobotAPI:
        """Cobot's API as the space.

        :param longest_wait: the seconds that a call may wait, as for ``CobotAPI``.
        :raises APIError: ``space_token_missing`` if none is kept; ``token_unavailable`` while Redis is.
        """
        kept = self._store.get(_name(space))
        token = None if kept is None else sealing.opened(str(kept.get("sealed")), _PURPOSE, space)
        if token is None:
            raise APIError("token_unavailable" if self._store.is_away else "space_token_missing", space=space)
        return CobotAPI(token.decode(), space=space, user=f"space {space}", longest_wait=longest_wait)

    def forget(self, space: str) -> None:
        """Forget a space's token. To end it at Cobot too, call ``api(space).revoke()`` before."""
        self._store.delete(_name(space))


def _store(installed: Installation) -> SharedStore:
    store = installed.store()
    if store is None:
        raise ConfigurationError("setting_missing", setting="COBOT_OIDC_REDIS_URL", expected="the URL of a Redis")
    return store


def _name(space: str) -> str:
    return f"space token:{space}"
