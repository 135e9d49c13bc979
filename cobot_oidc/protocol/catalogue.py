"""Every outcome that is not a success: its stable code, a sentence for people, a hint for the operator.

One place, so that pages, logs, documents and translations cannot drift apart. Sentences hold no values.
"""

from typing import NamedTuple


class Entry(NamedTuple):
    """What is said about one code. ``status`` is None where the error class's own HTTP status fits."""

    hint: str
    sentence: str
    status: int | None = None


# What people read. Few, as nobody in front of a browser can act on more.
TRY_AGAIN = "The sign-in did not work. Please try again."
UNTRUSTED = "The sign-in could not be verified, so nobody was signed in. Please try again later."

CATALOGUE: dict[str, Entry] = {
    # --- strict JSON, JWS, keys, id token: added by protocol rules below ---
}
