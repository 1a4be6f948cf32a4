"""Sockets and the bus."""
