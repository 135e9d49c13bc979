"""The rules of OAuth 2.0 and OpenID Connect as functions of values: no Flask, no network, no clock."""
