"""Every SQL string of admin."""
