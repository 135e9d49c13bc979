"""What is said of a provider: how it is installed and started, and how its own pages are filled in.

Nothing here, and nothing that a provider says here, changes how the extension behaves: ``settings`` is the app's
configuration, as docs/other-providers.md would give it to anybody.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .pages import Step
from .world import World


@dataclass(frozen=True, slots=True)
class Provider:
    """One that others have written.

    :ivar name: as in ``make interop PROVIDERS=…``.
    :ivar install: puts it below this folder, where nothing else is. :ivar version: which one is there.
    :ivar locks: the files of which a change means that it has to be installed anew.
    :ivar command: starts it in the foreground, once the world's file is written. Its document may answer only when
        everything is there.
    :ivar issuer_path: what follows its origin in the issuer.
    :ivar log_in: its pages from the login to the consent. :ivar cancel: those on which somebody changes their mind.
    :ivar log_out: those that may follow a logout.
    :ivar settings: what the app needs, without the prefix, besides the issuer and the client.
    :ivar wants_its_token_endpoint: whether clients' assertions have to be for that URL, and not for its issuer.
    :ivar not_offered: what it cannot do although its document may say so: name of the feature, and why.
    :ivar refused: what it does in a way that the app does not accept: name of the feature, code of the refusal.
    """

    name: str
    install: Callable[[Path], None]
    locks: tuple[Path, ...]
    version: Callable[[Path], str]
    command: Callable[[World, Path], list[str]]
    log_in: Callable[[World], tuple[Step, ...]]
    cancel: Callable[[World], tuple[Step, ...]] = lambda _world: ()
    log_out: tuple[Step, ...] = ()
    issuer_path: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    wants_its_token_endpoint: bool = False
    not_offered: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
