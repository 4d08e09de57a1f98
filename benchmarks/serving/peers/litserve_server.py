"""LitServe with one worker, no batching, no client file."""

import sys

import litserve
import session


class Forest(litserve.LitAPI):
    def setup(self, device):  # noqa: ARG002 - as the base names it
        self.predict_row = session.load(sys.argv[1])

    def decode_request(self, request):
        row = request["rows"][0]
        return [row[name] for name in session.COLUMNS]

    def predict(self, row):
        return self.predict_row(row)

    def encode_response(self, score):
        return {"predictions": [{"score": score}]}


if __name__ == "__main__":
    server = litserve.LitServer(
        Forest(api_path="/score"), accelerator="cpu", workers_per_device=1, timeout=False
    )
    server.run(
        port=int(sys.argv[2]), host="127.0.0.1", log_level="error", generate_client_file=False
    )
