"""Looking inside networks: feature maps, channels switched off, what excites a unit."""
