"""Rendered presentation attacks: portrait or clip -> medium (none, print, screen) -> camera -> codec.

Only the medium differs between bona fide and attack. Content, camera and codec are drawn
from one distribution, by the same code, without knowing the class; see ``crops.py``.
"""
