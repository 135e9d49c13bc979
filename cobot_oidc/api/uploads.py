"""Files to upload, in the forms that an app has them in."""

import re
from mimetypes import guess_type
from pathlib import PurePath
from typing import Any, BinaryIO

from werkzeug.datastructures import FileStorage

Upload = FileStorage | BinaryIO | tuple[str, bytes | BinaryIO, str]

_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(?:; ?[\w-]+=[\w.+-]+)*", re.ASCII)

UNKNOWN_TYPE = "application/octet-stream"


def uploaded(file: Upload) -> tuple[str, bytes, str]:
    """A file's name, its whole content, and its media type: it can be read once, and may have to be sent again.

    :param file: an open file, what ``request.files`` holds, or a tuple of name, content and media type.
    :raises TypeError: for anything else.
    """
    content: Any
    if isinstance(file, tuple) and len(file) == 3:
        name, content, media_type = file
    elif isinstance(file, FileStorage):
        name, content, media_type = file.filename or "file", file.stream, file.mimetype
    elif callable(getattr(file, "read", None)):
        name, content = PurePath(str(getattr(file, "name", "file"))).name, file
        media_type = guess_type(name)[0] or UNKNOWN_TYPE
    else:
        raise TypeError(
            "a file to upload is an open file, one of request.files, or a tuple (name, content, media type)"
        )
    content = content if isinstance(content, bytes) else content.read()
    if not isinstance(content, bytes):
        raise TypeError("a file to upload has to be opened in binary mode: open(path, 'rb')")
    # It becomes a header of the part, which nothing else in it may (RFC 7578 section 4.4).
    return name, content, media_type if _MEDIA_TYPE.fullmatch(media_type or "") else UNKNOWN_TYPE
