"""Figures of the notes' lessons on sequences and memory, told with agents."""
