#!/usr/bin/env python3
"""Inference requests as the published clients of the Open Inference Protocol write them, with what is in them.

The packages cannot be had where this was written. So this follows their code by hand, with NumPy doing what it does there:
  triton  tritonclient/http/_utils.py `_get_inference_request`, _infer_input.py `set_data_from_numpy`, utils/__init__.py
          (triton-inference-server/client at 03a0aac, 06344ca, 01581ba), paths and headers of _client.py
  kserve  kserve/protocol/infer_type.py `InferRequest.to_rest` (kserve/kserve at 0217bda)
  mlserver the JSON that the examples of MLServer's documentation send (content types as parameters)
rapidjson and orjson write no spaces, as `separators` does here. Prints the vectors: oip_clients.py > test/vectors/serving/requests.json
"""
import base64
import gzip
import json
import struct
import sys
import zlib

import numpy as np

DTYPES = {
    "BOOL": np.bool_, "INT8": np.int8, "INT16": np.int16, "INT32": np.int32, "INT64": np.int64, "UINT8": np.uint8,
    "UINT16": np.uint16, "UINT32": np.uint32, "UINT64": np.uint64, "FP16": np.float16, "FP32": np.float32,
    "FP64": np.float64,
}
VALUES = {
    "BOOL": [True, False, True], "INT8": [-128, 0, 127], "INT16": [-32768, 1, 32767],
    "INT32": [-2147483648, -1, 2147483647], "INT64": [-9223372036854775808, 9007199254740993, 9223372036854775807],
    "UINT8": [0, 1, 255], "UINT16": [0, 2, 65535], "UINT32": [0, 3, 4294967295],
    "UINT64": [0, 9007199254740993, 18446744073709551615], "FP16": [0.5, -65504.0, 6.103515625e-05],
    "FP32": [0.1, -3.4028234663852886e38, 1e-45], "FP64": [0.1, -1.7976931348623157e308, 5e-324],
    "BF16": [1.0, -2.5, 3.3895313892515355e38], "BYTES": ["", "rouge", "\u00e9t\u00e9 \U0001f33b"],
}


def dumps(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def serialize_bytes(values):
    return b"".join(struct.pack("<I", len(v.encode())) + v.encode() for v in values)


def serialize_bf16(values):
    return b"".join(np.float32(v).tobytes()[2:4] for v in values)


def raw_of(datatype, values):
    if datatype == "BYTES":
        return serialize_bytes(values)
    if datatype == "BF16":
        return serialize_bf16(values)
    return np.array(values, dtype=DTYPES[datatype]).tobytes()


def listed(datatype, values):
    if datatype == "BYTES":
        return list(values)
    return [v.item() for v in np.array(values, dtype=DTYPES[datatype]).flatten()]


def triton_input(name, datatype, values, shape, binary):
    tensor = {"name": name, "shape": shape, "datatype": datatype}
    if binary:
        raw = raw_of(datatype, values)
        tensor["parameters"] = {"binary_data_size": len(raw)}
        return tensor, raw
    tensor["data"] = listed(datatype, values)
    return tensor, None


def triton(inputs, outputs=None, request_id="", parameters=None):
    request = {}
    given = {}
    if request_id != "":
        request["id"] = request_id
    request["inputs"] = [tensor for tensor, _ in inputs]
    if outputs:
        request["outputs"] = outputs
    else:
        given["binary_data_output"] = True
    given.update(parameters or {})
    if given:
        request["parameters"] = given
    head = dumps(request).encode()
    raws = [raw for _, raw in inputs if raw is not None]
    if not raws:
        return head, {}
    return b"".join([head, *raws]), {"Inference-Header-Content-Length": str(len(head))}


def kserve(inputs, request_id):
    tensors, raws = [], []
    for name, datatype, values, shape, binary in inputs:
        tensor = {"name": name, "shape": shape, "datatype": datatype}
        raw = raw_of(datatype, values) if binary else None
        if raw:
            tensor["parameters"] = {"binary_data_size": len(raw)}
            raws.append(raw)
        else:
            tensor["data"] = listed(datatype, values)
        tensors.append(tensor)
    head = dumps({"id": request_id, "model_name": "echo", "inputs": tensors}).encode()
    if not raws:
        return head, {}
    return b"".join([head, *raws]), {"Inference-Header-Content-Length": str(len(head))}


def expected(names):
    """Floats as their 64-bit value, whole numbers and booleans as text."""
    tensors = {}
    for name, datatype, shape in names:
        values = VALUES[datatype]
        if datatype in DTYPES:
            values = [v.item() for v in np.array(values, dtype=DTYPES[datatype])]
        if datatype == "BF16":
            values = [struct.unpack("<f", b"\0\0" + np.float32(v).tobytes()[2:4])[0] for v in values]
        tensors[name] = {
            "shape": shape,
            "values": [v if isinstance(v, (float, str)) and not isinstance(v, bool) else str(v).lower() for v in values],
        }
    return tensors


def case(client, about, body, headers, names, **more):
    return {
        "client": client, "about": about, "headers": headers, "body": base64.b64encode(body).decode(),
        "tensors": expected(names), **more,
    }


def main():
    cases = []
    every = list(VALUES)
    body, headers = triton([triton_input(d.lower(), d, VALUES[d], [3, 1], True) for d in every])
    names = [(d.lower(), d, [3, 1]) for d in every]
    cases.append(case("tritonclient", "every type, binary both ways", body, headers, names, binaryOutput=True))
    for name, packed in [("gzip", gzip.compress(body, mtime=0)), ("deflate", zlib.compress(body))]:
        cases.append(case("tritonclient", name, packed, {**headers, "Content-Encoding": name}, names, binaryOutput=True))
    in_json = [d for d in every if d not in ("FP16", "BF16")]
    for_half = [triton_input(d.lower(), d, VALUES[d], [3, 1], d not in in_json) for d in every]
    body, headers = triton(
        for_half,
        outputs=[{"name": "out_int64", "parameters": {"binary_data": False}}, {"name": "out_fp32", "parameters": {"binary_data": True}}],
        request_id="42", parameters={"my_custom_parameter": 42, "timeout": 9000000},
    )
    cases.append(case("tritonclient", "JSON where it can, two outputs, an id", body, headers, names, id="42", wanted=["out_int64", "out_fp32"]))
    body, headers = kserve([(d.lower(), d, VALUES[d], [3, 1], d in ("FP16", "BF16", "BYTES")) for d in every], "5f3b8f6c-0000-4000-8000-000000000001")
    cases.append(case("kserve", "mixed", body, headers, names, id="5f3b8f6c-0000-4000-8000-000000000001"))
    mlserver = {
        "id": None, "parameters": {"content_type": "np"},
        "inputs": [{"name": d.lower(), "shape": [3, 1], "datatype": d, "parameters": {"content_type": "np"},
                    "data": [[v] for v in listed(d, VALUES[d])] if d != "BF16" else [[v] for v in VALUES[d]]} for d in every],
        "outputs": None,
    }
    cases.append(case("mlserver", "nested data, nulls", dumps(mlserver).encode(), {}, names))
    json.dump(cases, sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")


main()
