"""Figures of chapter 5."""
