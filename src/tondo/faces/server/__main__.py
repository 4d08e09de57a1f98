"""`python -m tondo.faces.server` runs the control plane."""

from __future__ import annotations

import sys

from tondo.faces.server.start import main

sys.exit(main())
