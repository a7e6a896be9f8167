"""Off-policy methods with linear approximation, one file each (chapter 11).

What is learned is a policy pi, what is lived by another one, b, and values are shared between states: with bootstrapping that is the
deadly triad (Sec. 11.3), and semi-gradient methods may diverge. In the order of the chapter: the semi-gradient methods, which are not
safe; true gradient methods, which are, and minimise what? (Bellman residuals); Gradient TD, which minimise the projected Bellman error;
emphatic TD, which restores the on-policy weighting of the updates.
"""
