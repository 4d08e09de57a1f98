"""`python -m tondo.faces.scorer` is `tondo-scorer`."""

from __future__ import annotations

import sys

from tondo.faces.scorer.start import main

sys.exit(main())
