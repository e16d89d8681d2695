"""The embedded models: how they are built and pretrained, their checkpoints, recipes and studies."""
