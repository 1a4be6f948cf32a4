"""Batch shells: read all, fold pure decisions, hand on all."""
