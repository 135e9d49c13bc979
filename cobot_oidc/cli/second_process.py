"""Whether a second process of the app has the same secret key, as each worker of a server has to.

The app is loaded once more, as a worker loads it. The two processes compare a MAC of something random under the key:
the key itself leaves neither.
"""

import hmac
import secrets
import subprocess
import sys

LONGEST_WAIT = 20  # seconds for loading the app

_PROGRAM = """
import hmac, sys
challenge = sys.stdin.readline().strip().encode()
from flask.cli import ScriptInfo
key = ScriptInfo(app_import_path=sys.argv[1] or None).load_app().secret_key
key = key.encode() if isinstance(key, str) else key
print("\\ncobot_oidc:" + hmac.new(key, challenge, "sha256").hexdigest())
"""
_MARK = "cobot_oidc:"


def has_same_key(app_import_path: str | None, key: str | bytes) -> bool | None:
    """Load the app in another process, and compare.

    :param app_import_path: as ``flask --app`` was given it; ``None`` if Flask found the app by itself.
    :returns: ``None`` if the other process could not load the app.
    """
    challenge = secrets.token_hex(16)
    command = [sys.executable, "-c", _PROGRAM, app_import_path or ""]
    try:
        done = subprocess.run(  # noqa: S603 - our own program; the app is the one that is loaded already
            command, input=f"{challenge}\n", capture_output=True, text=True, timeout=LONGEST_WAIT, check=True
        )
    except (subprocess.SubprocessError, OSError, UnicodeDecodeError):
        return None
    said = [line.removeprefix(_MARK) for line in done.stdout.splitlines() if line.startswith(_MARK)]
    own = hmac.new(key.encode() if isinstance(key, str) else key, challenge.encode(), "sha256").hexdigest()
    return hmac.compare_digest(said[-1].encode(), own.encode()) if said else None
