"""The command line, ``rlcourse``: one module a verb."""
