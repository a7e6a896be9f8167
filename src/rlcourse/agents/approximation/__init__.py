"""Prediction and control with linear function approximation (chapters 9 and 10)."""
