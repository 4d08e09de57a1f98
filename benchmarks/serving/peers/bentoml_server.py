"""BentoML with one worker."""

import os
import subprocess
import sys
from pathlib import Path

if __name__ == "__main__":
    folder, port = sys.argv[1:]
    command = ["bentoml", "serve", "bentoml_server:Forest", "--port", port, "--host", "127.0.0.1"]
    here = str(Path(__file__).parent)
    quiet = {"BENTOML_DO_NOT_TRACK": "True", "FOREST": folder}
    done = subprocess.run(
        [*command, "--working-dir", here], env={**os.environ, **quiet}, check=False
    )
    sys.exit(done.returncode)

import bentoml
import session


@bentoml.service(workers=1, metrics={"enabled": False}, logging={"access": {"enabled": False}})
class Forest:
    def __init__(self):
        self.predict_row = session.load(os.environ["FOREST"])

    @bentoml.api
    def score(self, rows: list[dict[str, float]]) -> dict:
        row = rows[0]
        return {"predictions": [{"score": self.predict_row([row[n] for n in session.COLUMNS])}]}
