"""FastAPI on uvicorn, uvloop and httptools; pydantic checks the rows."""

import sys

import fastapi
import pydantic
import session
import uvicorn

predict = session.load(sys.argv[1])
Row = pydantic.create_model("Row", **dict.fromkeys(session.COLUMNS, (float | None, ...)))
Request = pydantic.create_model("Request", rows=(list[Row], ...))
app = fastapi.FastAPI()


@app.post("/score")
async def score(request: Request):
    row = request.rows[0]
    return {"predictions": [{"score": predict([getattr(row, name) for name in session.COLUMNS])}]}


uvicorn.run(app, port=int(sys.argv[2]), log_level="error", access_log=False)
