"""Figures of chapter 8."""
