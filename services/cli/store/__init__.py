"""Every SQL string of the command: questions about the database itself."""
