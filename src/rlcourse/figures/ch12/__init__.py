"""Figures of chapter 12: eligibility traces."""
