"""Constants of ImageNet's training images, by which torchvision's networks standardise what they read."""

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's training images, in [0, 1]
