"""A small terminal: what it says, how it speaks over TCP, how messages are shown to people."""
