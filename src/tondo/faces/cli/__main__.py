"""`python -m tondo.faces.cli` is `tondo`."""

from __future__ import annotations

import sys

from tondo.faces.cli.start import main

sys.exit(main())
