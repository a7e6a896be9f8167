"""Figures of the notes' lessons on language, told with agents."""
