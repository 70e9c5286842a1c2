"""What renderer and trainer share: crop, detector, tables of crops and videos, video files, progress, command line."""
