"""`rlcourse`: the entry point. It finds the verb and imports nothing that the verb does not need."""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Sequence

from rlcourse.cli.signals import interruptible, number_of
from rlcourse.cli.streams import lasting_streams
from rlcourse.cli.torchrun import let_rank_0_speak
from rlcourse.cli.usage import UsageError, check_words, hush, one_line
from rlcourse.core.ended import ProcessEnded

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
  doctor [ENV]       what this machine has, how fast an agent trains on it, and what is the bottleneck
  list WHAT          envs, agents, encoders, figures or presets
  show AGENT         an algorithm's lecture and its box

  rlcourse VERB --help     the options of a verb
  rlcourse --version

start with:  rlcourse train cartpole
"""

VERBS = ("train", "evaluate", "enjoy", "resume", "pretrain", "inspect", "compare", "figure", "doctor", "list", "show")
SAVING = ("train", "resume", "pretrain")  # verbs that save what they have when they are interrupted
_OURS = (argparse.__file__, __file__)  # whose SystemExit is the end of a program that was meant
_JOINED = 1.0  # seconds for which Python waits for threads after an interruption


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return 0 done, 2 wrong usage, 3 a check failed, 130 interrupted (143 by SIGTERM)."""
    with lasting_streams():
        code = _main(list(sys.argv[1:] if argv is None else argv))
    if code >= 128 and argv is None:  # threads in compiled code may take long, and a second Ctrl-C changes nothing any more
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        threading.Thread(target=_exit_soon, args=(code,), daemon=True).start()
    return code


def _main(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(HELP, end="")
        return 0
    if arguments[0] in ("-V", "--version"):
        from rlcourse import __version__

        print(f"rlcourse {__version__}")
        return 0
    verb, rest = arguments[0], arguments[1:]
    hush()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that lacks a letter is no reason to stop
    with interruptible(at_once=verb not in SAVING) as came:
        try:
            return _guarded(verb, rest)
        except KeyboardInterrupt as error:
            return _interrupted(number_of(error))
        except Exception:
            if not came:
                raise
            return _interrupted(came[0])  # what Ctrl-C broke off raised something else, as an import may


def _exit_soon(code: int) -> None:
    time.sleep(_JOINED)
    os._exit(code)


def _interrupted(number: int) -> int:
    print("rlcourse: interrupted", file=sys.stderr)
    return 128 + number


def _guarded(verb: str, rest: list[str]) -> int:
    """Run a verb; say in one line what was wrong."""
    try:
        check_words([verb, *rest])
        return _run(verb, rest)
    except UsageError as error:
        let_rank_0_speak()
        print(f"rlcourse: {one_line(str(error))}", file=sys.stderr)
        return 2
    except FloatingPointError as error:  # learning has diverged
        print(f"rlcourse: {error}", file=sys.stderr)
        return 2
    except SystemExit as error:  # of an environment's own, which would end all without a word
        last = traceback.extract_tb(error.__traceback__)[-1]
        if last.filename in _OURS:
            raise
        where = f"{last.filename}, line {last.lineno}, ended the program (SystemExit: {error})"
        print(f"rlcourse: {one_line(f'{where}: mend that{_notes(error)}')}", file=sys.stderr)
        return 2
    except MemoryError as error:
        said = f" ({error})" if str(error) else ""
        print(f"rlcourse: {one_line(f'there is too little memory for this{said}: take smaller sizes{_notes(error)}')}", file=sys.stderr)
        return 2
    except ProcessEnded as error:  # one of those that train together, or of an experiment
        print(f"rlcourse: {error}", file=sys.stderr)
        return 1


def _notes(error: BaseException) -> str:
    """Return what was noted of an error: where it came, and the way on."""
    return "".join(f"; {note.removeprefix('rlcourse: ')}" for note in getattr(error, "__notes__", ()))


def _run(verb: str, rest: list[str]) -> int:
    if verb == "train":
        from rlcourse.cli.train import train

        return train(rest)
    if verb == "resume":
        from rlcourse.cli.resume import resume

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
    if verb == "doctor":
        from rlcourse.cli.doctor import doctor

        return doctor(rest)
    if verb == "list":
        from rlcourse.cli.listing import list_

        return list_(rest)
    if verb == "show":
        from rlcourse.cli.listing import show

        return show(rest)
    from rlcourse.core.config import did_you_mean

    raise UsageError(f"unknown verb {verb!r}{did_you_mean(verb, VERBS)}")
