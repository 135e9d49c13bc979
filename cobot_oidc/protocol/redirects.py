"""Where a browser may be sent after a login: the path of ``next``, by a positive rule (R01–R05).

What is accepted is, for every browser, a path on our own origin (WHATWG URL): it begins with one slash, holds
printable ASCII only, and means the same however often somebody decodes it on the way.
"""

import re
from urllib.parse import unquote_to_bytes

LONGEST = 2048  # characters

_ALLOWED = re.compile(r"/[\x21\x23-\x26\x28-\x3b\x3d\x3f-\x5b\x5d-\x7e]*")  # printable, without space " ' < > \
_ODD_BYTES = re.compile(rb"[\x00-\x1f\x7f\\]")
_DECODINGS = 3


def safe_next(value: str | None) -> str | None:
    """The value, if it is a path on our own origin, else ``None``.

    :param value: what came as ``next``: a path with an optional query and fragment.
    :returns: the same text, to be used as it is in a ``Location`` header.
    """
    if not isinstance(value, str) or len(value) > LONGEST or not _ALLOWED.fullmatch(value):
        return None
    path = re.split(r"[?#]", value, maxsplit=1)[0].encode("ascii")
    for _ in range(_DECODINGS + 1):
        if not _is_plain_path(path):
            return None
        path = unquote_to_bytes(path)
    return value


def _is_plain_path(path: bytes) -> bool:
    """Whether the path has one meaning, also for a server that drops path parameters: ``/;/x`` is ``//x`` there."""
    return (
        b"//" not in path
        and b"/;" not in path
        and _ODD_BYTES.search(path) is None
        and not any(segment.partition(b";")[0] in (b".", b"..") for segment in path.split(b"/"))
    )
