"""Export: a trained generator in forms that other programs read, each compared with PyTorch before it gets its name.

    from gansmith import Run
    from gansmith.export.write import export
    export(Run("runs/photos"), "onnx", "photos.onnx")

What leaves is the network that makes images and the description it needs. No discriminator, no optimizer state, no
image and no path of the data does: docs/export.md says what is where.
"""
