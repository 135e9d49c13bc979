"""One login, from its request to its answer. Imported after the first answer, or by an earlier login."""
