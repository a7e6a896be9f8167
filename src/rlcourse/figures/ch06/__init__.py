"""Figures of chapter 6."""
