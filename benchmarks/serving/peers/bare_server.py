"""The floor: httptools on uvloop, our decoder and our model session, and nothing else.

No ids, no log, no checks, no routes: `/v2...` is the Open Inference Protocol, all else native rows.
"""

import asyncio
import sys
from pathlib import Path

import httptools
import msgspec
import uvloop

from tondo.adapters.runtimes.lightgbm.runtime import LightGBMLoader
from tondo.faces.scorer.protocols.quick import rows_decoder, v2_decoder, v2_tensors
from tondo.scoring.inputs import RowInputs
from tondo.scoring.package import open_package

contents = open_package((Path(sys.argv[1]) / "forest.tondo").read_bytes())
inputs = RowInputs(contents.inputs)
decode_rows = rows_decoder(inputs)
decode_tensors = v2_decoder([*v2_tensors(inputs).values()])
values_of = msgspec.structs.astuple
predict = LightGBMLoader().load(contents.files, {}).predict_row
encode = msgspec.json.Encoder().encode
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"


class Bare(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data):
        self.parser.feed_data(data)

    def on_url(self, url):
        self.url = url
        self.body = b""

    def on_body(self, body):
        self.body += body

    def on_message_complete(self):
        if self.url.startswith(b"/v2"):
            score = predict([tensor.data[0] for tensor in decode_tensors(self.body).inputs])
            outputs = [{"name": "score", "datatype": "FP64", "shape": [1], "data": [score]}]
            payload = encode({"model_name": "forest", "outputs": outputs})
        else:
            score = predict(values_of(decode_rows(self.body).rows[0]))
            payload = encode({"predictions": [{"score": score}]})
        self.transport.write(HEAD % (len(payload), payload))


async def main():
    server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", int(sys.argv[2]))
    await server.serve_forever()


with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(main())
