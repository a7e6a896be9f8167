"""Models of classical conditioning (chapter 14)."""
