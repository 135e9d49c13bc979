"""Log in with Cobot: the OpenID Connect relying party for Flask."""
