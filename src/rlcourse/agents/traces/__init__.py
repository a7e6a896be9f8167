"""Eligibility traces: prediction and control between one step and the whole episode, one step at a time (chapter 12)."""
