"""MLServer with a model of its own kind around the same session: quicker than its LightGBM one."""

import json
import os
import subprocess
import sys
from pathlib import Path

if __name__ == "__main__":
    folder, port = Path(sys.argv[1]) / "mlserver", sys.argv[2]
    (folder / "forest").mkdir(parents=True, exist_ok=True)
    settings = {
        "host": "127.0.0.1",
        "http_port": int(port),
        "grpc_port": int(port) + 1,
        "debug": False,
        **({"parallel_workers": 0} if sys.argv[3:] == ["inline"] else {}),
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    model = {"name": "forest", "implementation": "mlserver_server.Forest"}
    (folder / "forest" / "model-settings.json").write_text(json.dumps(model))
    here = str(Path(__file__).parent)
    more = {"PYTHONPATH": f"{here}:{os.environ['PYTHONPATH']}", "FOREST": sys.argv[1]}
    done = subprocess.run(
        ["mlserver", "start", str(folder)], env={**os.environ, **more}, check=False
    )
    sys.exit(done.returncode)

import session
from mlserver import MLModel
from mlserver.types import InferenceResponse, ResponseOutput


class Forest(MLModel):
    async def load(self):
        self.predict_row = session.load(os.environ["FOREST"])
        return True

    async def predict(self, payload):
        score = self.predict_row(payload.inputs[0].data.root)
        output = ResponseOutput(name="score", shape=[1, 1], datatype="FP64", data=[score])
        return InferenceResponse(model_name=self.name, outputs=[output])
