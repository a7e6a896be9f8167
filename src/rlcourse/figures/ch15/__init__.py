"""Figures of chapter 15: neuroscience."""
