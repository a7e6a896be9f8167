"""Figures of the notes' lessons on memory, told with agents."""
