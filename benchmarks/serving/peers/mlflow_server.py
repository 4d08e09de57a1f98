"""`mlflow models serve` with one worker, on the booster that it loads and calls itself."""

import os
import subprocess
import sys
from pathlib import Path

import lightgbm
import mlflow

folder, port = Path(sys.argv[1]), sys.argv[2]
place = folder / "mlflow"
if not place.exists():
    mlflow.lightgbm.save_model(lightgbm.Booster(model_file=folder / "model.txt"), place)
command = ["mlflow", "models", "serve", "-m", str(place), "--env-manager", "local"]
command += ["--port", port, "--host", "127.0.0.1", "--workers", "1"]
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
sys.exit(subprocess.run(command, check=False).returncode)
