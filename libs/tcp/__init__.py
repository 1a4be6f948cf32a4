"""Ports of this machine for servers of our own: which are free."""

from libs.tcp.ports import NoPort, free_port, free_ports, is_free

__all__ = ["NoPort", "free_port", "free_ports", "is_free"]
