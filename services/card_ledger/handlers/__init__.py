"""Batch shells: read all, fold pure decisions, write all."""
