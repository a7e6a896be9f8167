"""Planning and learning, one file each (chapter 8)."""
