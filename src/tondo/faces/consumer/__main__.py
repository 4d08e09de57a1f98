"""`python -m tondo.faces.consumer` runs the consumers that are wished."""

from __future__ import annotations

import sys

from tondo.faces.consumer.start import main

sys.exit(main())
