"""The figures of chapter 11: off-policy methods with approximation."""
