"""Absolute URLs as issuers and endpoints may be: RFC 3986, in the one spelling that cannot be read in two ways.

This module imports no cryptography, because apps check their settings with it when they start.
"""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

LONGEST_URL = 2048  # characters
HTTPS_PORT, HTTP_PORT = 443, 80

_URL = re.compile(r"[\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+")  # RFC 3986's characters, ASCII
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def is_loopback(host: str) -> bool:
    """Whether this host is this machine: ``localhost`` and names below it (RFC 6761), 127.0.0.1 and ::1."""
    return host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")


def split_url(value: object) -> SplitResult | None:
    """The parts of an absolute URL without user and fragment: https, or http to the loopback; otherwise ``None``."""
    if not isinstance(value, str) or len(value) > LONGEST_URL or not _URL.fullmatch(value):
        return None
    try:
        url = urlsplit(value)
        host, _ = url.hostname or "", url.port
    except ValueError:
        return None
    # ``hostname`` is in lower case: a host that was not, or that is spelt in another way, is not accepted.
    spelt = url.netloc.removesuffix(f":{url.port}") if url.port is not None else url.netloc
    if spelt not in (host, f"[{host}]") or not (_HOST.fullmatch(host) or is_address(host)):
        return None
    if "#" in value or not (url.scheme == "https" or (url.scheme == "http" and is_loopback(host))):
        return None
    return url if value.startswith(url.scheme + "://") else None


def port_of(url: SplitResult) -> int:
    """The port, also if the URL leaves it out."""
    return url.port or (HTTPS_PORT if url.scheme == "https" else HTTP_PORT)


def is_address(host: str) -> bool:
    """Whether this host is an IP address in any spelling that a resolver takes."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        # Decimal, octal and hexadecimal spellings, which a resolver would read as an address.
        return re.fullmatch(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+))*\.?", host) is not None
    return True
