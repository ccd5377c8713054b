#!/usr/bin/python3
"""The rate of a matrix product on the GPU, as a tenant's own work would see it: gpu_tenant.py LABEL"""

import sys
import time

import torch

SIDE, SECONDS = 8192, 5

a, b = (torch.randn(SIDE, SIDE, device="cuda", dtype=torch.bfloat16) for _ in range(2))
for _ in range(10):
    a @ b
torch.cuda.synchronize()
begin, products = time.monotonic(), 0
while time.monotonic() - begin < SECONDS:
    for _ in range(20):
        a @ b
    torch.cuda.synchronize()
    products += 20
rate = products * 2 * SIDE**3 / (time.monotonic() - begin) / 1e12
print(f"{sys.argv[1]:8} {rate:7.1f} TFLOP/s")
