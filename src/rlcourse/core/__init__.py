"""The two pure cores (worlds and boxes) and the two faces (environments and agents)."""
