"""Deep agents, one file each, and the few parts that they share (torch lives here)."""
