"""Figures of the notes' lessons on networks, told with agents."""
