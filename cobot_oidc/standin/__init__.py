"""The stand-in Cobot: an OpenID provider with Cobot's documents, paths and traps, for demos and tests on one machine.

Its protocol is Authlib's authorization server. It shares no code with the client, as a mistake made twice proves
nothing.
"""

from .server import StandIn

__all__ = ["StandIn"]
