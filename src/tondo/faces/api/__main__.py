"""`python -m tondo.faces.api` runs the control plane, which serves the API and the pages.

The API has no process of its own and knows nothing of pages, hence by name.
"""

from __future__ import annotations

import runpy

runpy.run_module("tondo.faces.server", run_name="__main__", alter_sys=True)
