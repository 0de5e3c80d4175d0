"""Connections: a login, a place it opens, and five verbs."""
