"""Holds the inner workings of `zts_worker.crews.sandbox`.

`launcher`, `private_root`, `family`, `kernel` and `plan` are standard library only: they run in a process of
their own on the bare interpreter, without site-packages. `housing` and `pipes` serve the worker's side.
"""
