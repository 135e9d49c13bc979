"""Who is logged in: needed by every page; no network, no cryptography."""
