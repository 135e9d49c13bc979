"""The app inside Cobot: in a frame of its pages, where browsers keep cookies of their own (docs/frames.md)."""
