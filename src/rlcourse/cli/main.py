"""`rlcourse`: the entry point. It finds the verb and imports nothing that the verb does not need."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rlcourse.cli.usage import UsageError, hush

__all__ = ["main"]

HELP = """rlcourse: the reinforcement-learning course that you can run

usage: rlcourse VERB ...

  train ENV          train an agent; ENV is a preset (cartpole, ...), a Gymnasium id, or file.py:Class
  evaluate RUN       greedy returns of a run or of an agent file, on fresh episodes
  enjoy RUN          watch it in a window, or write --gif FILE or --mp4 FILE
  resume RUN         go on exactly where a run was saved
  pretrain ENV       an autoencoder, a classifier or word vectors, which agents take with --encoder-from
  inspect RUN        pictures of what its network has learned: filters, maps, codes, saliency, memory
  compare RUN ...    runs or folders of seeds side by side, with intervals and a picture
  figure FIGURE      reproduce figures of the book and check them: 6.3, ex6.5, all
  list WHAT          envs, agents, figures or presets
  show AGENT         an algorithm's lecture and its box

  rlcourse VERB --help     the options of a verb
  rlcourse --version

start with:  rlcourse train cartpole
"""

VERBS = ("train", "evaluate", "enjoy", "resume", "pretrain", "inspect", "compare", "figure", "list", "show")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return 0 done, 2 wrong usage, 3 a check failed, 130 interrupted (143 by SIGTERM)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(HELP, end="")
        return 0
    if arguments[0] in ("-V", "--version"):
        from rlcourse import __version__

        print(f"rlcourse {__version__}")
        return 0
    verb, rest = arguments[0], arguments[1:]
    hush()
    try:
        return _run(verb, rest)
    except UsageError as error:
        print(f"rlcourse: {error}", file=sys.stderr)
        return 2
    except FloatingPointError as error:  # learning has diverged
        print(f"rlcourse: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("rlcourse: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def _run(verb: str, rest: list[str]) -> int:
    if verb == "train":
        from rlcourse.cli.train import train

        return train(rest)
    if verb == "resume":
        from rlcourse.cli.train import resume

        return resume(rest)
    if verb == "evaluate":
        from rlcourse.cli.evaluate import evaluate

        return evaluate(rest)
    if verb == "enjoy":
        from rlcourse.cli.enjoy import enjoy

        return enjoy(rest)
    if verb == "pretrain":
        from rlcourse.cli.pretrain import pretrain

        return pretrain(rest)
    if verb == "inspect":
        from rlcourse.cli.inspect import inspect

        return inspect(rest)
    if verb == "compare":
        from rlcourse.cli.compare import compare

        return compare(rest)
    if verb == "figure":
        from rlcourse.cli.figure import figure

        return figure(rest)
    if verb == "list":
        from rlcourse.cli.listing import list_

        return list_(rest)
    if verb == "show":
        from rlcourse.cli.listing import show

        return show(rest)
    from rlcourse.core.config import did_you_mean

    raise UsageError(f"unknown verb {verb!r}{did_you_mean(verb, VERBS)}")
