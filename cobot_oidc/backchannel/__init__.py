"""A logout that a provider asks for, without any browser (OpenID Connect Back-Channel Logout 1.0)."""
