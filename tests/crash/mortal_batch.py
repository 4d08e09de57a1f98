"""Runs a batch and kills itself: `files` after the COUNTth file, `commit` or `sql` before it.

Run: mortal_batch.py PROJECT TABLE SQL POINT COUNT.
"""

import os
import signal
import sys

from tondo.adapters.sources.sqlalchemy.tables import SqlTables
from tondo.stages.serving.batch import pieces
from tondo.stages.serving.batch.output import BatchFiles
from tondo.workspace.bootstrap import open_workspace
from tondo.workspace.consuming import batches


def kill(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


def main():
    project, table, sql, point, count = sys.argv[1:]
    batches.pieces_of = lambda tables: pieces.pieces_of(tables, rows=100)
    left, add = [int(count)], BatchFiles.add

    def mortal(self, answers):
        add(self, answers)
        left[0] -= 1
        if left[0] == 0 and point == "files":
            kill()

    BatchFiles.add = mortal
    if point == "commit":
        BatchFiles.commit = kill
    if point == "sql":
        SqlTables.replace = kill
    with open_workspace(project) as workspace:
        workspace.scoring.run("buys", file=table, batch="b", as_of="2026-02-01T00:00:00Z", sql=sql)


if __name__ == "__main__":
    main()
