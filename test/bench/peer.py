"""pandas and the same runtime library: reads a CSV, scores it, writes a CSV; prints seconds from the start of reading.

python3 peer.py PEER_LIBRARY RUNTIME_LIBRARY MODEL TYPE INPUT OUTPUT THREADS
"""
import ctypes
import sys
import time

import numpy
import pandas

peer, runtime, model, kind, source, target, threads = sys.argv[1:]
library = ctypes.CDLL(peer)
library.open_model(runtime.encode(), model.encode(), int(threads))
number = numpy.int64 if kind == "7" else numpy.float32
started = time.perf_counter()
first = 1
with open(target, "w") as output:
    for chunk in pandas.read_csv(source, dtype=number, chunksize=100_000):
        values = numpy.ascontiguousarray(chunk.to_numpy())
        scores = numpy.empty(len(values), numpy.float32)
        for at in range(0, len(values), 4096):
            part = values[at : at + 4096]
            library.score(
                part.ctypes.data_as(ctypes.c_void_p),
                ctypes.c_int(int(kind)),
                ctypes.c_int64(len(part)),
                ctypes.c_int64(part.shape[1]),
                scores[at : at + 4096].ctypes.data_as(ctypes.c_void_p),
            )
        rows = numpy.arange(first, first + len(values))
        pandas.DataFrame({"row": rows, "y": scores}).to_csv(output, header=first == 1, index=False)
        first += len(values)
print(time.perf_counter() - started)
