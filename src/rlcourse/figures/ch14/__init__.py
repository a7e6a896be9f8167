"""Figures of chapter 14: psychology."""
