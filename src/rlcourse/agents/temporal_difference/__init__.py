"""Temporal-difference learning, one file each (chapter 6)."""
