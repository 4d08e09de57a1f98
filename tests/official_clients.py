"""Asks a scorer by official clients, as their own documentation does; prints what they got.

Run by the Python of the clients' environment: HTTP address, gRPC address, token or "", rows.
"""

import json
import sys

import boto3
import botocore.exceptions
import numpy as np
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton_http

http_address, grpc_address, token, rows = *sys.argv[1:4], json.loads(sys.argv[4])
DATATYPES = {
    "carrier": ("BYTES", np.object_),
    "distance": ("FP64", np.float64),
    "rush": ("BOOL", np.bool_),
    "scheduled_at": ("BYTES", np.object_),
    "tail": ("INT64", np.int64),
}


def inputs_of(triton, **named):
    inputs = []
    for name, (datatype, dtype) in DATATYPES.items():
        values = np.array([row[name] for row in rows], dtype=dtype)
        tensor = triton.InferInput(name, [len(rows)], datatype)
        tensor.set_data_from_numpy(values, **named)
        inputs.append(tensor)
    return inputs


def told():
    """A dictionary for each call: the client writes its own headers into it."""
    return {"authorization": f"Bearer {token}"} if token else {}


def by_triton(triton, address, **json_only):
    client = triton.InferenceServerClient(address)
    assert client.is_server_live(headers=told())
    assert client.is_server_ready(headers=told())
    assert client.is_model_ready("late", headers=told())
    assert client.is_model_ready("late", "1", headers=told())
    found = {}
    metadata = client.get_model_metadata("late", headers=told())
    names = [each["name"] if isinstance(each, dict) else each.name for each in inputs_in(metadata)]
    found["inputs"] = sorted(names)
    default = client.infer("late", inputs_of(triton), request_id="mine", headers=told())
    found["default"] = default.as_numpy("score").tolist()
    response = default.get_response()
    found["id"] = response["id"] if isinstance(response, dict) else response.id
    asked = [triton.InferRequestedOutput("score")]
    found["asked"] = (
        client.infer("late", inputs_of(triton), model_version="live", outputs=asked, headers=told())
        .as_numpy("score")
        .tolist()
    )
    if json_only:
        plain = [triton.InferRequestedOutput("score", binary_data=False)]
        found["json"] = (
            client.infer(
                "late", inputs_of(triton, binary_data=False), outputs=plain, headers=told()
            )
            .as_numpy("score")
            .tolist()
        )
    try:
        client.infer("lat", inputs_of(triton), headers=told())
    except (triton_http.InferenceServerException, triton_grpc.InferenceServerException) as error:
        found["error"] = str(error)
    client.close()
    return found


def inputs_in(metadata):
    return metadata["inputs"] if isinstance(metadata, dict) else metadata.inputs


def by_boto3():
    client = boto3.client(
        "sagemaker-runtime",
        endpoint_url=f"http://{http_address}",
        region_name="eu-central-1",
        aws_access_key_id="any",
        aws_secret_access_key="thing",
        aws_session_token=token or None,
    )
    csv = "\n".join(",".join(str(row[name]) for name in DATATYPES) for row in rows)
    answer = client.invoke_endpoint(
        EndpointName="late",
        ContentType="text/csv",
        Body=csv,
        TargetVariant="live",
        InferenceId="mine",
        CustomAttributes="a=b",
    )
    found = {
        "variant": answer["InvokedProductionVariant"],
        "attributes": answer["CustomAttributes"],
        "csv": [float(each) for each in answer["Body"].read().split()],
    }
    answer = client.invoke_endpoint(
        EndpointName="late", ContentType="application/json", Body=json.dumps({"instances": rows})
    )
    found["json"] = json.loads(answer["Body"].read())["predictions"]
    for name, body in (("lat", "{}"), ("late", "{}")):
        try:
            client.invoke_endpoint(EndpointName=name, ContentType="application/json", Body=body)
        except botocore.exceptions.ClientError as error:
            found[f"error of {name}"] = [
                error.response["Error"]["Code"],
                error.response["Error"]["Message"],
            ]
    return found


print(
    json.dumps(
        {
            "http": by_triton(triton_http, http_address, json_only=True),
            "grpc": by_triton(triton_grpc, grpc_address),
            "boto3": by_boto3(),
        }
    )
)
