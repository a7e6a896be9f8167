"""Easy21, the assignment of David Silver's course: the exact optimum and the three methods that it asks for."""
