"""Where a browser may be sent after a login: the path in ``next``, by an allowlist (R01–R05).

What is accepted is a path on our own origin in every browser (WHATWG URL): it begins with one slash, contains only
printable ASCII, and means the same however often it is decoded on the way.
"""

import re
from urllib.parse import unquote_to_bytes

LONGEST = 2048  # characters

_ALLOWED = re.compile(r"/[\x21\x23-\x26\x28-\x3b\x3d\x3f-\x5b\x5d-\x7e]*")  # printable, without space " ' < > \
_ODD_BYTES = re.compile(rb"[\x00-\x1f\x7f\\]")
_DECODINGS = 3


def safe_next(value: str | None) -> str | None:
    """The value if it is a path on our own origin, otherwise ``None``.

    :param value: the value of ``next``: a path with an optional query and fragment.
    :returns: the same text, which can be used in a ``Location`` header as it is.
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
    """Whether the path is unambiguous, also to a server that drops path parameters and reads ``/;/x`` as ``//x``."""
    return (
        b"//" not in path
        and b"/;" not in path
        and _ODD_BYTES.search(path) is None
        and not any(segment.partition(b";")[0] in (b".", b"..") for segment in path.split(b"/"))
    )
