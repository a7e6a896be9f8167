"""n-step bootstrapping, one file each (chapter 7)."""
