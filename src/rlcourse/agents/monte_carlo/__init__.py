"""Monte Carlo methods, one file each (chapter 5)."""
