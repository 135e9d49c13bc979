"""The stand-in Cobot: an OpenID provider with Cobot's documents, paths and pitfalls, for local demos and tests.

Its protocol is implemented by Authlib's authorization server. It shares no code with the client, because tests would
not notice a mistake that both make.
"""

from .server import StandIn

__all__ = ["StandIn"]
