"""Cobot's REST API, in both generations, as a person or as a space (docs/cobot.md 4)."""
