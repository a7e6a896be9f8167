"""Dynamic programming, one file each (chapter 4)."""
