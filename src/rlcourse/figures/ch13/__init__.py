"""Figures of chapter 13."""
