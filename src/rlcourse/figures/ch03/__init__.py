"""Figures of chapter 3."""
