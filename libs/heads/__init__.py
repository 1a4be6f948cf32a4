"""Heads of chains as files outside of the database: written once, never overwritten."""

from libs.heads.settings import HeadsSettings
from libs.heads.shelf import NameTaken, Shelf, ShelfUnusable, daily_name, moment_name

__all__ = ["HeadsSettings", "NameTaken", "Shelf", "ShelfUnusable", "daily_name", "moment_name"]
