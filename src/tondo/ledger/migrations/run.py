"""Run the shipped migrations inside a transaction of the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy import Connection


def upgrade(connection: Connection, *, to: str = "head") -> None:
    """Bring the ledger to the migration `to`; the caller commits, so a failure changes nothing."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    script = ScriptDirectory.from_config(config)

    def steps(present: Any, _context: Any) -> Any:
        return script._upgrade_revs(to, present)  # noqa: SLF001 - what alembic.command calls

    with EnvironmentContext(config, script, fn=steps, destination_rev=to) as environment:
        environment.configure(connection=connection, transactional_ddl=False)
        environment.run_migrations()
