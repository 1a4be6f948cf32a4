"""Batch shells of admin."""
