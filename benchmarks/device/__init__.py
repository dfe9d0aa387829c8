"""Minutes on a GPU: `benchmarks/device.sh` runs every part, each in a process of its own and cut at its limit.

    right     the tests marked `cuda`
    fast      training steps beside their authors' order of work, eager, by kernel choice and memory layout
    captured  the whole step as one CUDA graph, beside the engine
    compiled  the networks under torch.compile, beside the engine
    judge     features per second, KID at 10,000 images
    training  a small recipe on the data for what is left: its sheet and its KID beside real against real

`device.json` holds what each part measured, written as it goes; `table` makes a section of docs/speed.md of it.
"""
