"""One login, from its request to its answer. Imported by the first one."""
