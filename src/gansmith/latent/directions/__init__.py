"""Directions in the latent space: how they are made, kept, ranked and edited along."""
