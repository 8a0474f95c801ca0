"""The augmentations of images, one a file; `data/_image_augmentations.py` lists them by name."""
