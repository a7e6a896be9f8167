"""A process that trains several seeds one after another: torch and numba are imported, and boxes loaded, once for all of them.

`rlcourse train --seeds K` starts one per core. Seeds come as JSON lines on the standard input, answers go as JSON lines to the
standard output, each behind `MARK`, because environments may print too.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import traceback
from typing import Any

from rlcourse.cli.usage import UsageError, hush

__all__ = ["MARK", "main"]

MARK = "rlcourse-seed "


def main(words: list[str]) -> int:
    """Check a command of `rlcourse train`, then run it with each seed that is asked for; return an exit code."""
    from rlcourse.cli.train import check

    hush()
    try:
        check(words)
    except UsageError as error:
        _answer(error=str(error))
        return 2
    _answer(ready=True)
    for line in sys.stdin:
        asked = json.loads(line)
        code, output = _run([*words, "--seed", str(asked["seed"]), "--out", asked["out"], "-q"])
        _answer(seed=asked["seed"], code=code, output=output)
        if code >= 128:  # interrupted, with everything saved
            return code
    return 0


def _run(words: list[str]) -> tuple[int, str]:
    """Return the exit code of a run and the last line that it printed."""
    from rlcourse.cli.train import train

    output, code = io.StringIO(), 1
    try:
        with contextlib.redirect_stdout(output):
            code = train(words)
    except (UsageError, FloatingPointError) as error:  # what was asked for is wrong, or learning has diverged
        print(f"rlcourse: {error}", file=sys.stderr)
        code = 2
    except Exception:  # a bug in the user's environment: the other seeds go on
        traceback.print_exc()
    return code, output.getvalue().strip().rpartition("\n")[2]


def _answer(**values: Any) -> None:
    print(MARK + json.dumps(values), flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
