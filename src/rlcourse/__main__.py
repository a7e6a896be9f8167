"""``python -m rlcourse``."""

from __future__ import annotations

import sys

from rlcourse.cli.main import main

sys.exit(main())
