"""Multi-armed bandits, one file each (chapter 2)."""
